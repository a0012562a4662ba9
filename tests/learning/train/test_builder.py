"""What PEFT built is held against what was asked for."""

from typing import Any

import pytest

from twotrack.learning.train.builder import LoraSize, ask, compare, linear_modules, wrap
from twotrack.learning.train.errors import BuiltOtherwise, RankTooLarge
from twotrack.registry.families import FAMILIES

pytest.importorskip("torch")

pytestmark = [
    pytest.mark.torch,
    # transformers warns of its own renamed property whenever a model is made.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]

_LLAMA = next(family for family in FAMILIES if family.name == "llama-3")
_SIZE = LoraSize(4, 8.0)
_QUERY = "model.layers.1.self_attn.q_proj"


def _wrapped(model: Any, *columns: str) -> tuple[Any, dict[str, LoraSize]]:
    asked = ask(model, _LLAMA, columns or _LLAMA.columns, _SIZE)
    return wrap(model, asked, dropout=0.0), asked


def test_all_linear_modules_of_the_layers_are_trained_and_no_other(tiny_llama: Any) -> None:
    linear = linear_modules(tiny_llama)
    wrapped, asked = _wrapped(tiny_llama)
    assert len(asked) == 2 * 7
    assert set(asked) == set(linear)
    trained = {name for name, parameter in wrapped.named_parameters() if parameter.requires_grad}
    assert len(trained) == 2 * len(asked)
    assert all(".lora_A.default.weight" in name or ".lora_B.default.weight" in name for name in trained)


def test_a_column_that_was_not_asked_for_has_no_trainable_parameter(tiny_llama: Any) -> None:
    wrapped, asked = _wrapped(tiny_llama, "mlp.out")
    assert sorted(asked) == [f"model.layers.{layer}.mlp.down_proj" for layer in range(2)]
    trained = [name for name, parameter in wrapped.named_parameters() if parameter.requires_grad]
    assert all("mlp.down_proj" in name for name in trained)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        pytest.param(lambda module: module.r.update(default=3), "rank", id="rank"),
        pytest.param(lambda module: module.scaling.update(default=0.5), "scaling", id="scaling"),
        pytest.param(lambda module: module.lora_A.requires_grad_(False), "trainable", id="frozen"),
        pytest.param(lambda module: module.set_adapter([]), "trainable", id="inactive"),
        pytest.param(lambda module: module.base_layer.requires_grad_(True), "trainable", id="base thawed"),
    ],
)
def test_a_difference_in_one_module_is_named(tiny_llama: Any, spoil: Any, what: str) -> None:
    wrapped, asked = _wrapped(tiny_llama)
    spoil(wrapped.get_base_model().get_submodule(_QUERY))
    with pytest.raises(BuiltOtherwise) as caught:
        compare(wrapped, asked)
    assert _QUERY in caught.value.values["module"]
    assert caught.value.values["what"] == what


def test_rank_stabilized_scaling_is_by_the_root_of_the_rank(tiny_llama: Any) -> None:
    asked = ask(tiny_llama, _LLAMA, _LLAMA.columns, LoraSize(4, 8.0, rank_stabilized=True))
    wrapped = wrap(tiny_llama, asked, dropout=0.0)
    assert wrapped.get_base_model().get_submodule(_QUERY).scaling == {"default": 4.0}
    with pytest.raises(BuiltOtherwise, match="scaling is 4.0, and 2.0"):
        compare(wrapped, dict.fromkeys(asked, _SIZE))


def test_a_rank_that_exceeds_a_matrix_is_refused_with_its_name(tiny_llama: Any) -> None:
    # Keys and values have two heads of eight.
    ask(tiny_llama, _LLAMA, _LLAMA.columns, LoraSize(16, 8.0))
    with pytest.raises(RankTooLarge, match=r"Rank 17 .*layers\.0\.self_attn\.k_proj .* above 16"):
        ask(tiny_llama, _LLAMA, _LLAMA.columns, LoraSize(17, 8.0))


def test_a_module_that_peft_passed_over_is_named(tiny_llama: Any) -> None:
    asked = ask(tiny_llama, _LLAMA, _LLAMA.columns, _SIZE)
    wrapped = wrap(tiny_llama, asked, dropout=0.0)
    with pytest.raises(BuiltOtherwise, match=r"model\.layers\.9\.mlp: LoRA is False"):
        compare(wrapped, {**asked, "model.layers.9.mlp": _SIZE})


def test_a_module_that_nobody_asked_for_is_named(tiny_llama: Any) -> None:
    wrapped, asked = _wrapped(tiny_llama, "attn.qk")
    del asked[_QUERY]
    with pytest.raises(BuiltOtherwise, match=rf"{_QUERY}: LoRA is True, and False was asked for"):
        compare(wrapped, asked)


def test_a_module_whose_like_in_another_layer_is_not_asked_for_is_taken_alone(tiny_llama: Any) -> None:
    asked = ask(tiny_llama, _LLAMA, ("attn.qk",), _SIZE)
    del asked[_QUERY]
    # By its short name PEFT would take the query of every layer.
    compare(wrap(tiny_llama, asked, dropout=0.0), asked)
