"""The formulas against what real models, wrapped by the run's own builder, have and keep."""

from typing import Any

import pytest

from tests.learning.train.architectures import tiny
from twotrack.learning.forecast.compute import flops
from twotrack.learning.forecast.lora import check_ranks, lora_of
from twotrack.learning.forecast.memory import activation_bytes, weight_bytes
from twotrack.learning.forecast.shape import ModelShape, shape_of
from twotrack.learning.forecast.workload import Load
from twotrack.learning.train.errors import RankTooLarge
from twotrack.learning.train.passes import PACKED
from twotrack.learning.train.recipe import Recipe, parse_recipe
from twotrack.registry.families import Family, recognize

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

_RANK = 4
_TOKENS, _ROWS = 64, 4
# Of the four layers below, one a band.
_UPPER = ["freeze", "freeze", "train", "train"]
_MIXED = [
    ["train", "freeze", "freeze", "freeze"],
    "freeze",
    ["freeze", "freeze", "train", {"rank": 16}],
    "train",
]
# Large enough that what is kept of a token stands out from what is kept once.
_SIZES = {"vocab_size": 1_024, "hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 4}


def _shape(model: Any) -> tuple[ModelShape, Family]:
    config = model.config.to_dict() | {"architectures": [type(model).__name__]}
    family = recognize(config, [name for name, _ in model.named_modules()])
    tensors = [(name, tuple(one.shape)) for name, one in model.state_dict().items()]
    return shape_of(tensors, config, family), family


def _wrapped(model: Any, family: Family, columns: tuple[str, ...]) -> Any:
    from twotrack.learning.train import builder

    asked = builder.ask(model, family, columns, builder.LoraSize(_RANK, 8.0))
    return builder.wrap(model, asked, dropout=0.0)


@pytest.mark.parametrize(
    "variant", ["LlamaForCausalLM", "GPTNeoXForCausalLM", "Gemma3ForCausalLM", "OlmoForCausalLM"]
)
def test_parameters_are_those_of_the_model_and_of_its_adapter(variant: str) -> None:
    model = tiny(variant)
    shape, family = _shape(model)
    assert shape.parameters == sum(one.numel() for one in model.parameters())
    assert weight_bytes(shape, "fp32", quantized=False) == sum(one.nbytes for one in model.parameters())
    assert shape.layers == 2
    assert shape.is_packed is (type(model).__name__ in PACKED)
    wrapped = _wrapped(model, family, family.columns)
    trained = sum(one.numel() for one in wrapped.parameters() if one.requires_grad)
    assert shape.trainable(family.columns, _RANK) == trained
    recipe = Recipe(base="tiny", name="x", rank=_RANK)
    assert lora_of(shape, recipe, family.columns).trainable == trained


def test_the_adapter_of_one_column_is_counted_alone() -> None:
    model = tiny("Llama 3")
    shape, family = _shape(model)
    wrapped = _wrapped(model, family, ("attn.vo",))
    trained = sum(one.numel() for one in wrapped.parameters() if one.requires_grad)
    assert shape.trainable(("attn.vo",), _RANK) == trained < shape.trainable(family.columns, _RANK)


def test_four_bits_take_what_the_library_takes(tmp_path: Any) -> None:
    from twotrack.learning.train.loading import load_base

    model = tiny("LlamaForCausalLM", **_SIZES)
    model.save_pretrained(tmp_path)
    shape, _ = _shape(model)
    loaded = load_base(tmp_path, precision="fp32", device="cpu", quantized=True)
    held = sum(one.nbytes for one in loaded.parameters())
    for module in loaded.modules():
        if state := getattr(getattr(module, "weight", None), "quant_state", None):
            held += state.absmax.nbytes + state.state2.absmax.nbytes
    assert weight_bytes(shape, "fp32", quantized=True) == pytest.approx(held, rel=0.01)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("variant", "columns", "fields"),
    [
        ("LlamaForCausalLM", None, {}),
        ("LlamaForCausalLM", ("attn.qk",), {}),
        ("LlamaForCausalLM", None, {"dropout": 0.1}),
        ("LlamaForCausalLM", None, {"board": _UPPER}),
        ("LlamaForCausalLM", None, {"board": _MIXED}),
        ("GPTNeoXForCausalLM", None, {}),
        ("GPTNeoXForCausalLM", None, {"board": _UPPER}),
        ("Qwen3ForCausalLM", None, {}),
        ("Gemma3ForCausalLM", None, {}),
    ],
)
def test_activations_are_what_autograd_keeps_of_the_fast_path(
    variant: str, columns: tuple[str, ...] | None, fields: dict[str, Any], precision: Any
) -> None:
    recipe = parse_recipe({"base": "tiny", "name": "x", "rank": _RANK, **fields})
    kept, shape, used = _kept(variant, columns, recipe, precision)
    assert activation_bytes(shape, recipe, used, precision, _TOKENS) == pytest.approx(kept, rel=0.05)


def _kept(
    variant: str, columns: tuple[str, ...] | None, recipe: Recipe, precision: str
) -> tuple[int, ModelShape, tuple[str, ...]]:
    """Bytes of all storages that are saved for the way back, parameters not among them."""
    from twotrack.learning.train import builder, objective
    from twotrack.learning.train.packing import lay_out

    model = tiny(variant, **_SIZES)
    shape, family = _shape(model)
    used = columns or family.columns
    if precision == "bf16":
        model = model.to(torch.bfloat16)
    asked = builder.asked_by(model, recipe, family, used, shape.layers)
    wrapped = builder.wrap(model, asked, dropout=recipe.dropout)
    wrapped.train()
    causal = wrapped.get_base_model()
    assert objective.prepare(causal)
    length = _TOKENS // _ROWS + 1
    ids = torch.arange(3, 3 + length * _ROWS)
    (one,) = lay_out(ids, ids.clone(), [length] * _ROWS, 2 * _TOKENS)
    own = [*wrapped.parameters(), *wrapped.buffers()]
    known = {parameter.untyped_storage().data_ptr() for parameter in own}
    found: dict[int, Any] = {}

    def keep(tensor: Any) -> Any:
        place = tensor.untyped_storage().data_ptr()
        if place not in known:
            # The tensor, too: another one must not come to lie where it lay.
            found[place] = tensor
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"),
    ):
        loss = objective.packed_loss(causal, one)
    assert loss.requires_grad
    return sum(tensor.untyped_storage().nbytes() for tensor in found.values()), shape, tuple(used)


def test_a_rank_that_exceeds_a_matrix_is_refused_with_its_name() -> None:
    shape, family = _shape(tiny("LlamaForCausalLM"))

    def check(rank: int, **fields: Any) -> None:
        recipe = parse_recipe({"base": "tiny", "name": "x", "rank": rank, **fields})
        check_ranks(lora_of(shape, recipe, family.columns))

    check(16)
    with pytest.raises(RankTooLarge, match=r"Rank 17 .*layers\.0\.self_attn\.k_proj .* above 16"):
        check(17)
    check(32, board=[["freeze", "freeze", "train", "freeze"], "freeze"])
    with pytest.raises(RankTooLarge, match=r"Rank 17 .*layers\.1\.self_attn\.k_proj .* above 16"):
        check(8, board=["train", {"rank": 17}])


def test_a_board_counts_what_its_cells_hold_and_has_no_way_back_below_them() -> None:
    from twotrack.learning.train import builder

    model = tiny("LlamaForCausalLM", **_SIZES)
    shape, family = _shape(model)
    plain = parse_recipe({"base": "tiny", "name": "x", "rank": _RANK})
    for board in (_UPPER, _MIXED):
        recipe = parse_recipe({**plain.model_dump(), "board": board})
        asked = builder.asked_by(model, recipe, family, family.columns, shape.layers)
        held = sum(size.rank * sum(model.get_submodule(name).weight.shape) for name, size in asked.items())
        assert lora_of(shape, recipe, family.columns).trainable == held
    load = Load(tokens=100, square=1_000, learned=10)
    upper = parse_recipe({**plain.model_dump(), "board": _UPPER})
    every, half = (flops(shape, one, family.columns, load) for one in (plain, upper))
    # Forward all of it, back one half.
    assert half.base == every.base * 3 / 4
    assert half.attention == every.attention * (2 + 2.5) / 7
    assert half.adapter == every.adapter / 2
    assert half.logits == every.logits
