"""What a map answers with."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from twotrack.registry.map.schemas import ModelMap


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MapMemory(_Value):
    """What training an adapter on all columns holds at most, on one device, from its published figures."""

    device: str
    name: str
    method: Literal["lora", "qlora"]
    precision: Literal["fp32", "bf16"]
    fits: bool
    peak_bytes: int
    weight_bytes: int
    capacity_bytes: int
    fits_with: dict[str, Any] | None
    """The first change of the recipe that makes it fit; null where it fits, or none does."""


class MappedModel(_Value):
    """A map, and memory for one row of `tokens` at `rank`.

    `is_approximate` says that the studio trains no model of this form, and what is kept of its layers is
    taken to be what a decoder's keep.
    """

    name: str
    map: ModelMap
    rank: int
    tokens: int
    is_approximate: bool
    trainable_parameters: int
    memory: tuple[MapMemory, ...]
