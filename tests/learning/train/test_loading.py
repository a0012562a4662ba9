"""The base in 4 bits: what is quantized, what is not, and that it trains as the same weights in fp32 do."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.learning.train.architectures import tiny
from twotrack.learning.data.tokens import MASKED, Row
from twotrack.learning.train.builder import LoraSize, ask, compare, linear_modules, wrap
from twotrack.learning.train.errors import BuiltOtherwise
from twotrack.learning.train.loading import load_base, spare_bitsandbytes
from twotrack.learning.train.plan import Choices
from twotrack.learning.train.recipe import parse_recipe
from twotrack.learning.train.trainer import build_trainer
from twotrack.registry.families import recognize

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

pytestmark = [
    pytest.mark.torch,
    # transformers warns of its own renamed arguments and properties, whoever uses them.
    pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning"),
]

_ROWS = [Row(1, (5, 6, 7, 8, 2), (MASKED, MASKED, 7, 8, 2)), Row(2, (3, 4, 2), (MASKED, 4, 2))]
# Double quantization is of blocks of 256 constants: a matrix must have that many.
_WIDE = {"hidden_size": 128, "intermediate_size": 192}


@pytest.fixture(params=["LlamaForCausalLM", "GPTNeoXForCausalLM", "Qwen2ForCausalLM"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    tiny(request.param, **_WIDE).save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def _loaded(folder: Path, *, quantized: bool) -> Any:
    return load_base(folder, precision="fp32", device="cpu", quantized=quantized)


def test_linear_layers_are_in_four_bits_and_nothing_else_is(folder: Path) -> None:
    model = _loaded(folder, quantized=True)
    assert {model.get_submodule(name).weight.dtype for name in linear_modules(model)} == {torch.uint8}
    assert model.get_output_embeddings().weight.dtype == torch.float32
    assert model.get_input_embeddings().weight.dtype == torch.float32


def test_a_base_that_is_not_in_four_bits_after_all_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import BitsAndBytesConfig

    monkeypatch.setattr(
        "twotrack.learning.train.loading._nf4", lambda dtype: BitsAndBytesConfig(load_in_4bit=True)
    )
    with pytest.raises(BuiltOtherwise, match="4 bits is fp4, double: False"):
        _loaded(folder, quantized=True)


def test_gradients_over_four_bits_are_those_over_the_weights_that_they_stand_for(
    folder: Path, tmp_path: Path
) -> None:
    from bitsandbytes.functional import dequantize_4bit

    quantized, plain = _loaded(folder, quantized=True), _loaded(folder, quantized=False)
    for name in linear_modules(plain):
        held = quantized.get_submodule(name).weight
        with torch.no_grad():
            plain.get_submodule(name).weight.copy_(dequantize_4bit(held.data, held.quant_state))
    gradients = [_gradients(model, tmp_path) for model in (quantized, plain)]
    assert max(one.abs().max() for one in gradients[1].values()) > 1e-3
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], atol=1e-5), name


def _gradients(model: Any, folder: Path) -> dict[str, Any]:
    family = recognize(model.config.to_dict())
    torch.manual_seed(2)
    asked = ask(model, family, family.columns, LoraSize(4, 8.0))
    wrapped = wrap(model, asked, dropout=0.0)
    compare(wrapped, asked)
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    recipe = parse_recipe({"base": "tiny", "name": "tiny", "batch_size": 2})
    choices = Choices(device="cpu", precision="fp32", threads=1, tokens_per_pass=64, versions={})
    trainer = build_trainer(wrapped, _ROWS, recipe, choices, folder)
    trainer.training_step(wrapped, trainer.data_collator(list(trainer.train_dataset)))
    return {name: one.grad for name, one in wrapped.named_parameters() if one.requires_grad}


@pytest.mark.parametrize(
    ("config", "quantized", "is_there"),
    [
        ("{}", False, False),
        ("{}", True, True),
        ('{"quantization_config": {"quant_method": "bitsandbytes"}}', False, True),
    ],
    ids=["neither", "quantized here", "packed in its folder"],
)
def test_bitsandbytes_is_there_for_a_base_in_4_bits_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: str, quantized: bool, is_there: bool
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", sys.modules["bitsandbytes"])
    (tmp_path / "config.json").write_text(config)
    spare_bitsandbytes(tmp_path, quantized=quantized)
    assert (find_spec("bitsandbytes") is not None) is is_there
