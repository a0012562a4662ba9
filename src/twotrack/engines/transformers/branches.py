"""How much of what a layer's attention and MLP compute is added to the residual stream, for each request.

x′ = x + g(l, attention)·attention(x), and likewise for the MLP. As with adapters a gain is never a property
of a module: each pass brings its own for each token, so requests with different boards share a pass.
Multiplying by 1 changes no number, so a neighbour that asks for nothing gets what it would get alone; where
nobody in a pass asks, nothing is multiplied at all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from twotrack.engines.port import AdapterGain
from twotrack.equalizer.expansion import expand
from twotrack.equalizer.grid import BRANCHES, Grid
from twotrack.registry.branches import branch_of
from twotrack.registry.families import layer_of

_PROBE = (11, 3, 7, 5, 2, 13)
_TOLERANCE = 0.03
"""Relative: a norm behind the gain would undo all of it."""


class Branches:
    """The residual branches of one model. Used by the one thread that runs the model."""

    def __init__(self, model: Any, grid: Grid, ends: Mapping[str, str]) -> None:
        """`grid` is the base's own (`Grid.branches`); `ends` as in registry/branches.py.

        Raises:
            LookupError: not every layer has just one module of each branch.
        """
        self._grid = grid
        self._model = model
        self._device = model.get_input_embeddings().weight.device
        self._modules: dict[tuple[int, int], Any] = {}
        self._layers: dict[int, Any] = {}
        named = dict(model.named_modules())
        for name, module in named.items():
            layer, branch = layer_of(name), branch_of(name, ends)
            if layer is None or branch is None:
                continue
            cell = layer, BRANCHES.index(branch)
            if cell in self._modules:
                raise LookupError(f"{name} is a second {branch} branch of its layer")
            self._modules[cell] = module
            self._layers[layer] = named[_layer_name(name, layer)]
        expected = {(layer, column) for layer in range(grid.layers) for column in range(len(BRANCHES))}
        if self._modules.keys() != expected:
            raise LookupError(f"{len(self._modules)} of {len(expected)} branches were found")
        self._hung = False
        self._cells: dict[tuple[int, int], Any] = {}

    def act(self, runs: Sequence[AdapterGain], counts: Sequence[int]) -> None:
        """Set the gains of the next pass, run by run: a number or layers × (attention, MLP), and for how many
        tokens they hold."""
        self._cells = {}
        if all(gain == 1.0 for gain in runs):
            return
        import torch

        tables = [gain if isinstance(gain, tuple) else expand(gain, self._grid) for gain in runs]
        # fp32 also beside a bf16 model, as for adapters.
        stacked = torch.tensor(tables, dtype=torch.float32, device=self._device)
        rows = stacked.repeat_interleave(torch.tensor(counts, device=self._device), dim=0)
        rows = rows.permute(1, 2, 0)[..., None, :, None]
        self._cells = {
            (layer, column): rows[layer, column]
            for layer, column in self._modules
            if any(table[layer][column] != 1.0 for table in tables)
        }
        self._hang()

    def _hang(self) -> None:
        """Hooks on the modules, once somebody has asked."""
        if self._hung:
            return
        self._hung = True
        for cell, module in self._modules.items():

            def scale(_module: Any, _inputs: Any, output: Any, cell: tuple[int, int] = cell) -> Any:
                gain = self._cells.get(cell)
                if gain is None:
                    return output
                return (output * gain).to(output.dtype).reshape(output.shape)

            module.register_forward_hook(scale)

    def hold(self) -> bool:
        """Whether the model's code really adds these modules' outputs to its residual stream, found out by
        trying: with all gains 0 a layer must hand on what it got, to the last bit, and what one branch adds
        in the first layer must be halved by a gain of 0.5. Uses the model as it is loaded; call it before its
        attention is replaced."""
        try:
            silent = self._run((0.0, 0.0))
            if any(not bool((given == made).all()) for given, made in silent.values()):
                return False
            return self._halves((1.0, 0.0), (0.5, 0.0)) and self._halves((0.0, 1.0), (0.0, 0.5))
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError):
            # Modules that are called with something else than the pass's tokens, as experts are.
            return False
        finally:
            self._cells = {}

    def _halves(self, whole: tuple[float, float], half: tuple[float, float]) -> bool:
        import torch

        before, after = self._run(whole)[0]
        _, halfway = self._run(half)[0]
        added = (after - before).float()
        # The residual stream's own rounding, which in bf16 can be a good part of what is added.
        rounding = torch.finfo(before.dtype).eps * before.float().norm()
        found = (halfway - before).float()
        return bool((found - added / 2).norm() <= _TOLERANCE * added.norm() + rounding)

    def _run(self, gains: tuple[float, float]) -> dict[int, tuple[Any, Any]]:
        """Layer → what goes in and what comes out, with the same two gains in all layers."""
        import torch

        seen: dict[int, tuple[Any, Any]] = {}

        def look(layer: int) -> Any:
            def see(_module: Any, inputs: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
                given = inputs[0] if inputs else named["hidden_states"]
                seen[layer] = given, output[0] if isinstance(output, tuple) else output

            return see

        handles = [
            module.register_forward_hook(look(layer), with_kwargs=True)
            for layer, module in self._layers.items()
        ]
        try:
            self.act([(gains,) * self._grid.layers], [len(_PROBE)])
            with torch.inference_mode():
                tokens = torch.tensor([_PROBE], device=self._device)
                self._model(input_ids=tokens, use_cache=False)
        finally:
            for handle in handles:
                handle.remove()
        return seen


def _layer_name(module_name: str, layer: int) -> str:
    parts = module_name.split(".")
    return ".".join(parts[: parts.index(str(layer)) + 1])
