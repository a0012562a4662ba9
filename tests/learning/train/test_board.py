"""Training on a board: each module holds its cell's rank, scaling and learning rate, and no other learns."""

import re
from pathlib import Path
from typing import Any

import pytest

from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.train.builder import LoraSize, asked_by, compare_rates, wrap
from twotrack.learning.train.errors import BuiltOtherwise, CellEmpty, RankTooLarge
from twotrack.learning.train.plan import Choices
from twotrack.learning.train.recipe import Recipe, parse_recipe
from twotrack.learning.train.trainer import build_trainer
from twotrack.registry.families import FAMILIES, Family, layer_of

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.torch,
    # transformers warns of its own renamed arguments and properties, whoever uses them.
    pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning"),
]

_LLAMA = next(family for family in FAMILIES if family.name == "llama-3")
_LAYERS = 4
_MIXED = [
    "freeze",
    [{"rank": 2}, "freeze", "freeze", {"alpha": 3.0, "learning_rate": 0.5}],
    ["train", {"learning_rate": 2.0}, "freeze", "train"],
    ["freeze", "train", {"rank": 8, "alpha": 2.0, "learning_rate": 0.5}, "freeze"],
]
_ROWS = [
    Row(line, tuple(range(3 + line, 21 + line)), (*[MASKED] * 6, *range(9 + line, 21 + line)))
    for line in range(3)
]


def _model(folder: Path | None = None) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64,
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=_LAYERS,
            num_attention_heads=4,
            num_key_value_heads=2,
            bos_token_id=1,
            eos_token_id=2,
        )
    )
    if folder is not None:
        model.save_pretrained(folder)
    return model


def _recipe(board: Any, **fields: Any) -> Recipe:
    return parse_recipe(
        {"base": "tiny", "name": "tiny", "rank": 4, "alpha": 8, "batch_size": 3, "board": board, **fields}
    )


def _wrapped(model: Any, recipe: Recipe) -> tuple[Any, dict[str, LoraSize]]:
    asked = asked_by(model, recipe, _LLAMA, _LLAMA.columns, _LAYERS)
    return wrap(model, asked, dropout=0.0), asked


def _trainer(wrapped: Any, asked: Any, recipe: Recipe, folder: Path, callbacks: Any = ()) -> Any:
    choices = Choices(device="cpu", precision="fp32", threads=1, tokens_per_pass=40, versions={})
    return build_trainer(wrapped, _ROWS, recipe, choices, folder, asked=asked, callbacks=callbacks)


def _stir(wrapped: Any) -> None:
    """As B begins, with zeros, half of the gradients would be zero whatever the loss."""
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(len(name)))


def _gradients(wrapped: Any, asked: Any, recipe: Recipe, folder: Path) -> dict[str, Any]:
    trainer = _trainer(wrapped, asked, recipe, folder)
    trainer.training_step(wrapped, trainer.data_collator(list(trainer.train_dataset)))
    return {name: one.grad.clone() for name, one in wrapped.named_parameters() if one.requires_grad}


def test_each_module_holds_what_its_cell_says() -> None:
    wrapped, asked = _wrapped(_model(), _recipe(_MIXED))
    held = {name: (size.rank, size.scaling, size.learning_rate) for name, size in asked.items()}
    layers = [
        {name.rpartition(".")[2]: size for name, size in held.items() if layer_of(name) == layer}
        for layer in range(_LAYERS)
    ]
    assert layers == [
        {},
        {"q_proj": (2, 4.0, 1.0), "k_proj": (2, 4.0, 1.0), "down_proj": (4, 0.75, 0.5)},
        {
            **dict.fromkeys(("q_proj", "k_proj", "down_proj"), (4, 2.0, 1.0)),
            **dict.fromkeys(("v_proj", "o_proj"), (4, 2.0, 2.0)),
        },
        {
            **dict.fromkeys(("v_proj", "o_proj"), (4, 2.0, 1.0)),
            **dict.fromkeys(("gate_proj", "up_proj"), (8, 0.25, 0.5)),
        },
    ]
    trained = [name for name, one in wrapped.named_parameters() if one.requires_grad]
    assert len(trained) == 2 * len(asked)
    assert not any(".layers.0." in name for name in trained)
    lines = {name: wrapped.get_base_model().get_submodule(name) for name in asked}
    assert {name: (one.r["default"], one.scaling["default"]) for name, one in lines.items()} == {
        name: (size.rank, size.scaling) for name, size in asked.items()
    }


def test_rank_stabilized_cells_are_scaled_by_the_root_of_their_own_rank() -> None:
    _, asked = _wrapped(_model(), _recipe(["train", "train", "train", {"rank": 16}], method="rslora"))
    assert {size.scaling for size in asked.values()} == {4.0, 2.0}


def test_a_rank_that_a_cells_matrix_cannot_hold_is_named() -> None:
    # Keys and values have two heads of sixteen.
    with pytest.raises(RankTooLarge, match=r"Rank 33 .*layers\.3\.self_attn\.k_proj .* above 32"):
        _wrapped(_model(), _recipe(["train", "train", "train", {"rank": 33}]))


def test_a_cell_without_modules_is_named() -> None:
    kinds = {**_LLAMA.kinds, "fc_out": "attn.out"}
    family = Family(name="other", architectures=(), kinds=kinds)
    with pytest.raises(CellEmpty, match="row 1, column attn.out"):
        asked_by(_model(), _recipe(["train"] * 4), family, family.columns, _LAYERS)


def test_multipliers_hold_throughout_the_schedule(tmp_path: Path) -> None:
    from transformers import TrainerCallback

    rates: list[list[float]] = []
    told: list[float] = []

    class Watching(TrainerCallback):  # type: ignore[misc]  # transformers has no type information
        def on_step_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
            rates.append([group["lr"] for group in optimizer.param_groups])

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in logs:
                told.append(logs["learning_rate"])

    recipe = _recipe(_MIXED, epochs=4, learning_rate=1e-3, warmup=0.5)
    wrapped, asked = _wrapped(_model(), recipe)
    trainer = _trainer(wrapped, asked, recipe, tmp_path, [Watching()])
    trainer.train()
    compare_rates(trainer.optimizer, wrapped, asked, 1e-3)
    assert len(trainer.optimizer.param_groups) == 3
    assert [one[0] for one in rates] == pytest.approx([0.0, 5e-4, 1e-3, 5e-4])
    for one in rates:
        assert one == pytest.approx([one[0], one[0] * 0.5, one[0] * 2])
    # What is told is the recipe's own rate.
    assert told == [one[0] for one in rates]
    with pytest.raises(BuiltOtherwise, match="learning rate is 0.0005, and 0.001"):
        compare_rates(trainer.optimizer, wrapped, dict.fromkeys(asked, LoraSize(4, 8.0)), 1e-3)


def test_a_multiplier_that_every_cell_has_is_not_told_as_the_rate(tmp_path: Path) -> None:
    recipe = _recipe([{"learning_rate": 0.1}] * 4, epochs=1, learning_rate=1e-3)
    wrapped, asked = _wrapped(_model(), recipe)
    trainer = _trainer(wrapped, asked, recipe, tmp_path)
    trainer.train()
    (logged,) = (one for one in trainer.state.log_history if "loss" in one)
    assert logged["learning_rate"] == pytest.approx(1e-3)
    compare_rates(trainer.optimizer, wrapped, asked, 1e-3)


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "computed twice"])
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_frozen_lower_bands_have_no_way_back_and_leave_the_other_gradients_as_they_are(
    tmp_path: Path, method: str, checkpointing: bool
) -> None:
    from twotrack.learning.train.loading import load_base

    _model(tmp_path / "base")
    gradients: list[dict[str, Any]] = []
    ways_back: list[dict[str, set[bool]]] = []
    for board in (["train"] * 4, ["freeze", "freeze", "train", "train"]):
        recipe = _recipe(board, method=method, gradient_checkpointing=checkpointing)
        base = load_base(tmp_path / "base", precision="fp32", device="cpu", quantized=method == "qlora")
        wrapped, asked = _wrapped(base, recipe)
        _stir(wrapped)
        for name, parameter in wrapped.named_parameters():
            if ".lora_" not in name:
                continue
            seed = torch.Generator().manual_seed(sum(name.encode()))
            if re.search(r"\.layers\.[01]\.", name) and "lora_B" in name:
                # Below, the change is none: the layers above see the same in both runs.
                torch.nn.init.zeros_(parameter)
            elif "lora_A" in name:
                torch.nn.init.normal_(parameter, std=0.1, generator=seed)
        seen: dict[str, set[bool]] = {}
        for part in ("embed_tokens", *(f"layers.{layer}" for layer in range(_LAYERS))):

            def note(module: Any, given: Any, out: Any, part: str = part, seen: Any = seen) -> None:
                out = out[0] if isinstance(out, tuple) else out
                seen.setdefault(part, set()).add(bool(out.requires_grad))

            wrapped.get_base_model().model.get_submodule(part).register_forward_hook(note)
        gradients.append(_gradients(wrapped, asked, recipe, tmp_path / f"run-{len(gradients)}"))
        ways_back.append(seen)
    every, upper = gradients
    assert ways_back[0] == {"embed_tokens": {False}, **{f"layers.{layer}": {True} for layer in range(4)}}
    assert ways_back[1] == {
        "embed_tokens": {False},
        **{f"layers.{layer}": {layer >= 2} for layer in range(_LAYERS)},
    }
    assert upper.keys() == {name for name in every if re.search(r"\.layers\.[23]\.", name)}
    assert max(float(one.abs().max()) for one in upper.values()) > 1e-4
    for name, gradient in upper.items():
        assert torch.equal(gradient, every[name]), name
