import pytest
from hypothesis import given
from hypothesis import strategies as st

from twotrack.core.errors import InvalidInput
from twotrack.equalizer.grid import BANDS, Grid

LLAMA = ("attn.qk", "attn.vo", "mlp.in", "mlp.out")


@given(layers=st.integers(1, 200), bands=st.integers(1, 200))
def test_every_layer_lies_in_one_band_and_bands_are_even(layers: int, bands: int) -> None:
    grid = Grid.over(layers, LLAMA, bands)
    held = [grid.layers_of(band) for band in range(grid.bands)]
    assert [layer for one in held for layer in one] == list(range(layers))
    assert {len(one) for one in held} <= {layers // grid.bands, layers // grid.bands + 1}
    assert all(grid.band_of(layer) == band for band, one in enumerate(held) for layer in one)


def test_a_base_with_few_layers_has_as_many_bands() -> None:
    assert Grid.over(30, LLAMA).shape == (BANDS, 4)
    assert Grid.over(2, LLAMA).shape == (2, 4)


@pytest.mark.parametrize(
    ("layers", "columns", "bands"),
    [(0, LLAMA, 1), (4, (), 4), (4, ("a", "a"), 4), (4, LLAMA, 5), (4, LLAMA, 0)],
)
def test_what_is_no_grid_is_refused(layers: int, columns: tuple[str, ...], bands: int) -> None:
    with pytest.raises(InvalidInput):
        Grid(layers, columns, bands)


def test_layers_and_bands_outside_the_grid_are_refused() -> None:
    grid = Grid.over(8, LLAMA)
    for wrong in (-1, 8):
        with pytest.raises(IndexError):
            grid.band_of(wrong)
    with pytest.raises(IndexError):
        grid.layers_of(4)
