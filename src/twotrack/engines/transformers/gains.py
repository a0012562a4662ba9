"""How strongly each LoRA adapter on a frozen model acts on each request.

W′ = W + g·(alpha/r)·B·A (LoRA, arXiv 2106.09685, section 4.1; rank-stabilized: alpha/√r, arXiv 2312.03732).
The modules of the base stay what they are; a forward hook adds what the adapters contribute to their output.
A gain is never a property of a module: every forward pass brings its own, one number for each token in it
(and with a board one for each layer and column too), so requests with different gains share a pass without
touching one another. Where all gains of a module in a pass are 0 the hook does nothing, and the output is the
base's, bit for bit.

What the base's own branches add is set in the same way (branches.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twotrack.engines.port import AdapterFile, AdapterGain
from twotrack.engines.transformers.adapter_files import LoraModule, Refusal, read_adapter
from twotrack.engines.transformers.branches import Branches
from twotrack.equalizer.expansion import expand, mean
from twotrack.equalizer.grid import Grid
from twotrack.registry.families import Family, layer_of

Cell = tuple[int, int]
"""Layer and column."""


@dataclass(frozen=True)
class _Acting:
    """One adapter in one pass: gains of the pass's tokens, [1, n, 1], for each cell and for all others.

    A cell that is missing takes `others`; None is a gain of 0 for every token.
    """

    others: Any
    cells: Mapping[Cell, Any] = field(default_factory=dict)

    def at(self, cell: Cell | None) -> Any:
        return self.others if cell is None else self.cells.get(cell, self.others)


class Adapters:
    """The adapters on one model. Used by the one thread that runs the model."""

    def __init__(
        self,
        model: Any,
        grid: Grid | None = None,
        kinds: Mapping[str, str] | None = None,
        branches: Branches | None = None,
    ) -> None:
        """`grid` is that of the tables that requests bring, `kinds` the columns of ends of module names;
        without `branches` every pass must leave the base's own at 1."""
        self._branches = branches
        self.ids: tuple[str, ...] = ()
        self._modules = dict(model.named_modules())
        self._head = model.get_output_embeddings()
        embedding = model.get_input_embeddings().weight
        self._device, self._dtype = embedding.device, embedding.dtype
        self._parts: dict[str, dict[int, tuple[Any, Any]]] = {}
        self._grid = grid
        self._family = Family("", architectures=(), kinds=kinds or {})
        self._acting: list[tuple[int, _Acting]] = []
        self._acting_on_head: list[tuple[int, _Acting]] = []

    def add(self, adapter: AdapterFile) -> None:
        """Load a PEFT folder; it acts from the next pass on, for those who name it.

        Raises:
            AdapterRefused: it is no plain LoRA, or was made for another base.
        """
        modules = read_adapter(adapter)
        for one in modules:
            self._check_fits(one, Refusal(adapter.id))
        number = len(self.ids)
        for one in modules:
            if one.name not in self._parts:
                self._parts[one.name] = {}
                self._hang(one.name)
            a, b = one.a.float(), one.b.float() * one.scale
            self._parts[one.name][number] = (a.to(self._device, self._dtype), b.to(self._device, self._dtype))
        self.ids += (adapter.id,)

    def _check_fits(self, one: LoraModule, refuse: Refusal) -> None:
        module = self._modules.get(one.name)
        if module is None:
            raise refuse("this base has no module {0}", "이 베이스에 없는 모듈입니다: {0}", one.name)
        if hasattr(module, "in_features"):
            size = (module.in_features, module.out_features)
        elif type(module).__name__ == "Conv1D":
            size = (module.nx, module.nf)
        else:
            raise refuse("{0} is no linear module", "선형 모듈이 아닙니다: {0}", one.name)
        found = (one.a.shape[1], one.b.shape[0])
        if found != size:
            raise refuse(
                "{0} maps {1} to {2} values, and the adapter {3} to {4}",
                "{0} 모듈의 크기는 {1} → {2}인데 어댑터는 {3} → {4}입니다",
                one.name,
                *size,
                *found,
            )

    def _hang(self, name: str) -> None:
        import torch.nn.functional as functional

        module, parts = self._modules[name], self._parts[name]
        on_head = module is self._head
        cell = self._cell(name)

        def add_deltas(_module: Any, inputs: tuple[Any, ...], output: Any) -> Any:
            for number, acting in self._acting_on_head if on_head else self._acting:
                pair = parts.get(number)
                if pair is not None and (gain := acting.at(cell)) is not None:
                    a, b = pair
                    inner = functional.linear(inputs[0].to(a.dtype), a) * gain
                    output = output + functional.linear(inner.to(b.dtype), b).to(output.dtype)
            return output

        # Before the hook that scales what the branch adds, whenever that was hung: this is part of it.
        module.register_forward_hook(add_deltas, prepend=True)

    def _cell(self, name: str) -> Cell | None:
        layer, column = layer_of(name), self._family.kind_of(name)
        if self._grid is None or layer is None or column not in self._grid.columns:
            return None
        return layer, self._grid.columns.index(column)

    def act(self, gains: Sequence[tuple[Sequence[AdapterGain], int]], kept: Any) -> None:
        """Set the gains of the next pass, run by run: one for each adapter in `ids`' order and one for the
        base's own branches, and for how many tokens they hold.

        kept: [n] positions of the pass for which logits are computed: an adapter on the output matrix sees
        only these.
        """
        self._acting, self._acting_on_head = [], []
        counts = [count for _, count in gains]
        if self._branches is not None:
            self._branches.act([one[-1] for one, _ in gains], counts)
        for number in range(len(self.ids)):
            runs = [one[number] for one, _ in gains]
            if all(gain == 0.0 for gain in runs):
                continue
            others = self._rows([mean(gain) if isinstance(gain, tuple) else gain for gain in runs], counts)
            on_head = None if others is None else others[:, kept]
            self._acting_on_head.append((number, _Acting(on_head)))
            self._acting.append((number, _Acting(others, self._cells(runs, counts))))

    def _cells(self, runs: Sequence[AdapterGain], counts: Sequence[int]) -> dict[Cell, Any]:
        """Empty where every gain is one number, since then every cell is as all others are."""
        import torch

        if self._grid is None or not any(isinstance(gain, tuple) for gain in runs):
            return {}
        tables = [expand(gain, self._grid) if not isinstance(gain, tuple) else gain for gain in runs]
        # fp32 also beside a bf16 model, where a gain of 0.3 would be 0.3008.
        stacked = torch.tensor(tables, dtype=torch.float32, device=self._device)
        rows = stacked.repeat_interleave(torch.tensor(counts, device=self._device), dim=0)
        rows = rows.permute(1, 2, 0)[..., None, :, None]
        return {
            (layer, column): rows[layer, column] if any(table[layer][column] for table in tables) else None
            for layer in range(self._grid.layers)
            for column in range(len(self._grid.columns))
        }

    def _rows(self, runs: Sequence[float], counts: Sequence[int]) -> Any:
        import torch

        if not any(runs):
            return None
        column = [gain for gain, count in zip(runs, counts, strict=True) for _ in range(count)]
        return torch.tensor(column, dtype=torch.float32, device=self._device).view(1, -1, 1)
