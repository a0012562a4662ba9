"""What conversions write, loaded by llama.cpp and by transformers with PEFT: the same log-probabilities."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from twotrack.registry.conversion import ensure_gguf, ensure_safetensors
from twotrack.registry.conversion.adapter_gguf import WHOLE, adapter_to_parts
from twotrack.registry.conversion.model_files import safetensors_to_gguf
from twotrack.registry.families import recognize
from twotrack.registry.layout import Layout
from twotrack.registry.prompts import PromptCodec
from twotrack.registry.schemas import Base
from twotrack.registry.tokenizer_files import write_tokenizer_folder

pytest.importorskip("torch")
pytestmark = [
    pytest.mark.torch,
    # Raised inside transformers while it loads a model.
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PROMPT = [*range(40, 100), *range(1, 60)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ggml's GELU is a table of 16-bit floats; with the same rounding in torch the difference is a tenth.
GELU_TOLERANCE = 1e-2
FILES = ["config.json", "model.safetensors", "tokenizer.json"]


def distribution(model: Any, ids: Sequence[int]) -> list[float]:
    """Natural log-probabilities of the next token, by id."""
    import torch

    with torch.no_grad():
        logits = model(torch.tensor([list(ids)])).logits[0, -1]
    values: list[float] = torch.log_softmax(logits, -1).tolist()
    return values


def largest_difference(theirs: Mapping[int, float], ours: Sequence[float]) -> float:
    return max(abs(ours[token_id] - value) for token_id, value in theirs.items())


def made_by_transformers(folder: Path, config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> Any:
    """A random model, saved by transformers itself."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder)).float().eval()
    for parameter in model.parameters():
        mean, deviation = (0.0, 0.15) if parameter.dim() > 1 else (0.5, 0.3)
        torch.nn.init.normal_(parameter, mean, deviation)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return model


def as_gguf(folder: Path) -> Path:
    tokenizer = folder.with_name("tokenizer")
    tokenizer.mkdir()
    write_tokenizer_folder(folder, FILES, "safetensors", tokenizer)
    safetensors_to_gguf(folder, FILES, tokenizer, "f32", folder.with_name("model.gguf"), "tiny")
    return folder.with_name("model.gguf")


def test_llama_cpp_computes_what_transformers_computes(
    tiny_config: dict[str, Any],
    letter_tokenizer: dict[str, Any],
    tmp_path: Path,
    llama_cpp: Callable[..., Any],
) -> None:
    model = made_by_transformers(tmp_path / "checkpoint", tiny_config, letter_tokenizer)
    engine = llama_cpp(as_gguf(tmp_path / "checkpoint"))
    tolerance = GELU_TOLERANCE if tiny_config["model_type"].startswith(("gpt_neox", "gemma")) else 2e-5
    for ids in (PROMPT, PROMPT[:7], [5]):
        assert largest_difference(engine.logprobs(ids), distribution(model, ids)) < tolerance


ADAPTERS: dict[str, dict[str, Any]] = {
    "plain": {"r": 8, "lora_alpha": 16},
    "rslora": {"r": 8, "lora_alpha": 16, "use_rslora": True},
    "rank and alpha of some modules": {
        "r": 8,
        "lora_alpha": 16,
        "rank_pattern": {"o_proj": 4, "down_proj": 16},
        "alpha_pattern": {"k_proj": 4, "layers.1.mlp.up_proj": 40},
    },
    "rslora with several ranks": {
        "r": 8,
        "lora_alpha": 16,
        "use_rslora": True,
        "rank_pattern": {"q_proj": 4, "down_proj": 16},
    },
}


def adapted(model: Any, settings: Mapping[str, Any]) -> Any:
    """The model with a LoRA adapter on every linear layer that visibly does something."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    with warnings.catch_warnings():
        # get_peft_model asks the model for an attribute that transformers has renamed.
        warnings.simplefilter("ignore")
        config = LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM", **settings)
        with_adapter = get_peft_model(model, config)
    for name, parameter in with_adapter.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return with_adapter.eval()


def scale(model: Any, factor: float) -> None:
    for module in model.modules():
        if isinstance(getattr(module, "scaling", None), dict):
            original = module.__dict__.setdefault("_as_trained", dict(module.scaling))
            module.scaling["default"] = original["default"] * factor


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [("llama", name) for name in ADAPTERS]
    + [(name, "plain") for name in ("wide_heads", "qwen3", "neox", "gemma3")],
)
def test_an_adapter_acts_in_llama_cpp_as_in_peft_at_every_scale(
    architecture: str,
    settings: str,
    config_of: Callable[[str], dict[str, Any]],
    letter_tokenizer: dict[str, Any],
    tmp_path: Path,
    llama_cpp: Callable[..., Any],
) -> None:
    folder = tmp_path / "checkpoint"
    base = made_by_transformers(folder, config_of(architecture), letter_tokenizer)
    gguf = as_gguf(folder)
    unadapted = distribution(base, PROMPT)
    model = adapted(base, ADAPTERS[settings])
    model.save_pretrained(tmp_path / "adapter")
    family = recognize(config_of(architecture))
    adapter_to_parts(tmp_path / "adapter", tmp_path / "tokenizer", family, tmp_path / "parts")

    engine = llama_cpp(gguf, tmp_path / "parts" / WHOLE)
    tolerance = GELU_TOLERANCE if architecture.startswith(("neox", "gemma")) else 5e-5
    for factor in (0.0, 0.5, 1.0, -1.0):
        scale(model, factor)
        expected = distribution(model, PROMPT)
        assert largest_difference(engine.logprobs(PROMPT, scale=factor), expected) < tolerance
    assert max(abs(a - b) for a, b in zip(unadapted, expected, strict=True)) > 0.1


@pytest.mark.slow
async def test_the_starter_is_the_same_model_in_both_engines(
    starter_base: Base, layout: Layout, llama_cpp: Callable[..., Any]
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = await ensure_safetensors(layout, starter_base)
    engine = llama_cpp(await ensure_gguf(layout, starter_base, "f32"))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    codec = PromptCodec("starter", folder.with_name("tokenizer-1"))
    messages = [{"role": "user", "content": "What is gravity? 중력이란?"}]
    try:
        ids = await codec.chat_ids(messages)
    finally:
        codec.close()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"] == ids

    with torch.no_grad():
        generated = model.generate(torch.tensor([ids]), max_new_tokens=4, do_sample=False)
        logprobs = torch.log_softmax(model(generated).logits[0], -1)
    for end in range(len(ids), generated.shape[1]):
        theirs = engine.logprobs(generated[0, :end].tolist(), top=5)
        assert next(iter(theirs)) == generated[0, end]
        # The two engines' kernels differ by some 2e-4 on this model.
        assert largest_difference(theirs, logprobs[end - 1].tolist()) < 1e-3


@pytest.mark.parametrize(
    ("tokenizer", "named"),
    [
        ("letter_tokenizer", {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}),
        ("byte_fallback_tokenizer", {"bos_token": "<s>", "eos_token": "</s>"}),
        # Special by this name alone, and added by this file alone.
        ("byte_fallback_tokenizer", {"bos_token": "<s>", "eos_token": "한국"}),
        (
            "letter_tokenizer",
            {
                "bos_token": "<|im_start|>",
                "eos_token": {"__type": "AddedToken", "content": "<|im_end|>"},
                "added_tokens_decoder": {"263": {"content": "x the", "special": True}},
            },
        ),
    ],
)
async def test_training_and_serving_read_the_same_tokens(
    tokenizer: str, named: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """transformers, on the folder that training uses, against the codec that serving uses."""
    from transformers import AutoTokenizer

    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    files = {
        "tokenizer.json": request.getfixturevalue(tokenizer),
        "config.json": {"architectures": ["LlamaForCausalLM"], "vocab_size": 32_000},
        "tokenizer_config.json": named,
    }
    for name, content in files.items():
        (source / name).write_text(json.dumps(content))
    write_tokenizer_folder(source, files, "safetensors", folder)
    codec, theirs = PromptCodec("tiny", folder), AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "abc x"}]
    try:
        ours = await codec.chat_ids(messages, add_generation_prompt=False)
    finally:
        codec.close()
    assert ours == theirs.apply_chat_template(messages)["input_ids"]
    for text in ("the cat", " abc  the\n", "한국 x123", "<s>the</s> cat"):
        assert codec.encode(text) == theirs(text, add_special_tokens=False)["input_ids"]
