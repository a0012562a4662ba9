"""Devices that a plan can be asked about without having them, by their makers' published figures.

Sources: RTX 3050, NVIDIA's product pages ("GeForce RTX 3050", "RTX 3050 Laptop GPU": 2,560 and 2,048 CUDA
cores; boost of 1.78 GHz, and of 1.06 to 1.74 GHz by power limit, of which the middle is taken) and the Ampere
GA102 whitepaper, table 2 (tensor cores give twice the fp32 rate in bf16 with fp32 sums); T4, NVIDIA T4 data
sheet (8.1 TFLOPS fp32, 16 GB, 320 GB/s; Turing has no bf16); A100, NVIDIA A100 data sheet (19.5 TFLOPS fp32,
312 in bf16, 40 GB at 1,555 GB/s, 80 GB at 1,935 GB/s). TFLOPS are 10¹² multiplications and additions.
"""

from dataclasses import dataclass

from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.learning.suggestions import unknown

HERE = "here"
"""The name of the machine that is asked."""

_GIB = 2**30


@dataclass(frozen=True)
class Device:
    key: str
    name: str
    memory: int
    """Bytes."""
    fp32: float
    """FLOP a second, at most; bf16 likewise."""
    bf16: float | None
    """None where it has no bf16 in hardware: training then computes in fp32."""
    bandwidth: float
    """Bytes a second."""


DEVICES: tuple[Device, ...] = (
    Device("rtx-3050-4gb", "RTX 3050 Laptop 4 GB", 4 * _GIB, 5.7e12, 11.4e12, 192e9),
    Device("rtx-3050-8gb", "RTX 3050 8 GB", 8 * _GIB, 9.1e12, 18.2e12, 224e9),
    # Its error correction takes a sixteenth.
    Device("t4", "T4 16 GB", 15 * _GIB, 8.1e12, None, 320e9),
    Device("a100", "A100 40 GB", 40 * _GIB, 19.5e12, 312e12, 1555e9),
    Device("a100-80gb", "A100 80 GB", 80 * _GIB, 19.5e12, 312e12, 1935e9),
)

_BY_KEY = {device.key: device for device in DEVICES}


def known(asked: tuple[str, ...]) -> tuple[str, ...]:
    """The names as asked, each once; all that there are where none is.

    Raises:
        InvalidInput: a name that stands for no device.
    """
    names = (HERE, *_BY_KEY)
    for name in asked:
        if name not in names:
            raise InvalidInput(
                what=Text("device", "장치"), value=name, why=unknown(Text("device", "장치"), name, names)
            )
    return tuple(dict.fromkeys(asked)) or names


def device_named(key: str) -> Device:
    return _BY_KEY[key]
