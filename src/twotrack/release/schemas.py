"""What is asked of an export, and what its report says."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from twotrack.equalizer.board import Board
from twotrack.registry.conversion import GgufKind
from twotrack.registry.schemas import ModelFile

ExportFormat = Literal["peft", "merged", "gguf"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewExport(_Value):
    format: ExportFormat
    quantization: GgufKind | None = None
    """Of a GGUF file, by default f16. Merged weights keep the base's own type, or become f32."""
    dequantize: bool = False
    """Merge with the 32-bit copy of a base that is a quantized GGUF file, which it was trained on."""
    prompts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=4_000)], ...], Field(max_length=32)
    ] = ()
    """What the variant and its export are compared on; by default four short ones in two languages."""


class ExportArgs(NewExport):
    """Arguments of a job of the kind "export"."""

    variant: str
    """Its name when it was asked for, for people who read the list of jobs."""
    variant_id: UUID


class ExportedAdapter(_Value):
    """An adapter whose change is in the export, with the gains that it has there."""

    id: UUID
    name: str
    gain: float
    board: Board | None
    data_fingerprint: str
    job_id: UUID | None


class PromptDifference(_Value):
    """One prompt: absolute differences of log-probabilities, in nats, over its tokens and the live variant's
    greedy answer."""

    prompt: str
    tokens: int
    largest: float
    mean: float
    at: int
    """The position, from 0, of the token where the largest difference is."""
    answer: str
    """The live variant's greedy answer."""
    parts_at: int | None
    """The number of the answer's token where the export's greedy answer is another; None where none is."""


class Parity(_Value):
    bound: float | None
    """None where the format rounds weights: then differences are recorded, and nothing is refused."""
    largest: float
    mean: float
    live: str
    """Engine and precision of the live variant."""
    exported: str
    prompts: tuple[PromptDifference, ...]


class ExportReport(_Value):
    """One export: what it is of, its files, and how far from the live variant it answers."""

    id: UUID
    variant: str
    variant_id: UUID
    format: ExportFormat
    quantization: str | None
    dequantized: bool
    base: str
    base_id: str
    base_license: str | None
    adapters: tuple[ExportedAdapter, ...]
    base_board: Board | None = None
    """The base's own board, folded into its output projections."""
    files: tuple[ModelFile, ...]
    size: int
    parity: Parity
    created_at: datetime
    path: str = ""
    """Where it lies on the studio's own machine."""


class ExportList(_Value):
    exports: tuple[ExportReport, ...]
