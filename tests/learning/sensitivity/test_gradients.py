"""Squared gradients are those that autograd finds for the weights themselves, whatever the architecture."""

from typing import Any

import pytest

from tests.learning.train.architectures import VARIANTS, VOCABULARY, tiny
from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.sensitivity.errors import GradientNotFinite
from twotrack.learning.train.builder import linear_modules
from twotrack.registry.families import recognize

torch = pytest.importorskip("torch")

from twotrack.learning.sensitivity.gradients import Gradients, modules_of, squared  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning"),
]

_IDS = tuple((7 * place) % (VOCABULARY - 3) + 3 for place in range(11))
_ROW = Row(1, _IDS, (*[MASKED] * 4, *_IDS[4:7], MASKED, *_IDS[8:]))


def _reference(model: Any, row: Row) -> tuple[float, dict[str, Any]]:
    """The mean loss over the learned tokens, and every weight's gradient, by way of all logits."""
    model.requires_grad_(True)
    logits = model(input_ids=torch.tensor([row.input_ids])).logits[0, :-1]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(row.labels[1:]), ignore_index=MASKED)
    loss.backward()
    return float(loss.detach()), {
        name: one.grad for name, one in model.named_parameters() if one.grad is not None
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_they_are_those_of_the_weights(variant: str) -> None:
    model = tiny(variant).eval()
    config = model.config.to_dict() | {"architectures": [type(model).__name__]}
    family = recognize(config, linear_modules(model))
    nats, gradients = _reference(tiny(variant).eval(), _ROW)
    modules = modules_of(model, family)
    assert {one.column for one in modules} == set(family.columns)
    before = {name: one.clone() for name, one in model.named_parameters()}

    loss, squares = Gradients(model, modules, bf16=False).squares(_ROW)

    assert loss == pytest.approx(nats, rel=1e-5)
    expected = [float(gradients[f"{one.name}.weight"].square().sum()) for one in modules]
    assert squares == pytest.approx(expected, rel=2e-3, abs=1e-12)
    assert all(one.outputs * one.inputs == gradients[f"{one.name}.weight"].numel() for one in modules)
    # Nothing was changed, and nothing is kept.
    assert all(torch.equal(before[name], one) for name, one in model.named_parameters())
    assert all(one.grad is None for one in model.parameters())


def test_a_row_has_the_same_figures_whatever_was_measured_before_it() -> None:
    model = tiny("LlamaForCausalLM")
    family = recognize({"architectures": ["LlamaForCausalLM"], "vocab_size": VOCABULARY}, [])
    gradients = Gradients(model, modules_of(model, family), bf16=False)
    first = gradients.squares(_ROW)
    gradients.squares(Row(2, _IDS[::-1], (MASKED, *_IDS[::-1][1:])))
    assert gradients.squares(_ROW) == first


@pytest.mark.parametrize("tokens", [1, 5, 6, 40])
def test_both_ways_come_to_the_same(tokens: int) -> None:
    # Six tokens are where one way becomes dearer than the other.
    made = torch.Generator().manual_seed(tokens)
    inputs, found = (torch.randn(tokens, width, generator=made) for width in (10, 16))
    assert float(squared(inputs, found)) == pytest.approx(float((found.T @ inputs).square().sum()), rel=1e-4)


def test_a_base_that_computes_no_numbers_is_refused() -> None:
    model = tiny("LlamaForCausalLM")
    family = recognize({"architectures": ["LlamaForCausalLM"], "vocab_size": VOCABULARY}, [])
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight[0, 0] = float("nan")
    with pytest.raises(GradientNotFinite, match="line 1"):
        Gradients(model, modules_of(model, family), bf16=False).squares(_ROW)
