"""Tiny models of every architecture, and llama.cpp to hold what we write against."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from twotrack.registry.layout import Layout
from twotrack.registry.schemas import Base, ModelFile
from twotrack.registry.tokenizer_files import write_tokenizer_folder

LETTERS = "abcdefghijklmnopqrstuvwxyz"

# What every tiny model has; the vocabulary is a little larger than its tokenizer's.
TINY = {
    "vocab_size": 272,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
    "bos_token_id": 261,
    "eos_token_id": 262,
}
LLAMA_3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 64}
LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "rms_norm_eps": 1e-6}

GEMMA = {"num_key_value_heads": 2, "head_dim": 32, "rms_norm_eps": 1e-6, "tie_word_embeddings": True}

# Name → config.json, as far as it differs from TINY.
TINY_MODELS: dict[str, dict[str, Any]] = {
    "llama": {**LLAMA, "num_key_value_heads": 2, "rope_theta": 50_000.0},
    # As Mi:dm 2.0 Mini: heads wider than the hidden size says, embedding and head the same.
    "wide_heads": {**LLAMA, "num_key_value_heads": 2, "head_dim": 32, "tie_word_embeddings": True},
    "biases": {**LLAMA, "attention_bias": True, "num_key_value_heads": 4},
    "llama_3_rope": {**LLAMA, "num_key_value_heads": 2, "head_dim": 64, "rope_parameters": LLAMA_3_ROPE},
    "linear_rope": {**LLAMA, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "yarn_rope": {**LLAMA, "rope_parameters": YARN},
    "mistral": {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-6,
        "sliding_window": None,
    },
    "qwen2": {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-6,
    },
    "qwen3": {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "num_key_value_heads": 2,
        "head_dim": 32,
        "rms_norm_eps": 1e-6,
    },
    "gemma": {"architectures": ["GemmaForCausalLM"], "model_type": "gemma", **GEMMA},
    "gemma2": {
        "architectures": ["Gemma2ForCausalLM"],
        "model_type": "gemma2",
        **GEMMA,
        "query_pre_attn_scalar": 32,
        "attn_logit_softcapping": 50.0,
        "final_logit_softcapping": 30.0,
        "sliding_window": 16,
    },
    "gemma3": {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        **GEMMA,
        "num_hidden_layers": 7,
        "query_pre_attn_scalar": 32,
        "sliding_window": 16,
        "rope_theta": 1_000_000.0,
        "rope_local_base_freq": 10_000.0,
    },
    "neox": {"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "rotary_pct": 0.5},
    "sequential_neox": {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        "use_parallel_residual": False,
    },
}


class LlamaCpp:
    """A GGUF file in llama.cpp, with 32-bit cache and without flash attention."""

    def __init__(self, model: Path, adapter: Path | None) -> None:
        import xllamacpp

        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(model)
        parameters.n_ctx = 256
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = 1
        parameters.verbosity = -1
        parameters.warmup = False
        parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if adapter is not None:
            parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 0.0)]
            parameters.lora_init_without_apply = True
        self._server = xllamacpp.Server(parameters)

    def tokenize(self, text: str) -> list[int]:
        body = json.dumps({"content": text, "add_special": False, "parse_special": True}).encode()
        request = urllib.request.Request(
            f"{self._server.listening_address}/tokenize", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            tokens: list[int] = json.load(answer)["tokens"]
        return tokens

    def logprobs(self, ids: Sequence[int], *, top: int = 272, scale: float = 0.0) -> dict[int, float]:
        """Natural log-probabilities of the next token's most likely ids; the likeliest comes first."""
        answer = self._server.handle_completions(
            {
                "prompt": list(ids),
                "n_predict": 1,
                "temperature": 0.0,
                "n_probs": top,
                "cache_prompt": False,
                "lora": [{"id": 0, "scale": scale}],
            }
        )
        (first,) = answer["choices"][0]["logprobs"]["content"]
        return {entry["id"]: entry["logprob"] for entry in first["top_logprobs"]}


@pytest.fixture
def llama_cpp() -> Callable[..., LlamaCpp]:
    """Loads a GGUF file, and an adapter for it if one is given."""

    def load(model: Path, adapter: Path | None = None) -> LlamaCpp:
        return LlamaCpp(model, adapter)

    return load


@pytest.fixture(scope="session")
def letter_tokenizer() -> dict[str, Any]:
    """tokenizer.json with letters, some pairs of letters, and ChatML's tokens: 263 in all."""
    pairs = [(first, second) for first in LETTERS[:9] for second in LETTERS]
    texts = [*LETTERS, *("".join(pair) for pair in pairs)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": len(texts) + number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, token in enumerate(("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": True,
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {text: number for number, text in enumerate(texts)},
            "merges": [list(pair) for pair in pairs],
        },
    }


@pytest.fixture
def byte_fallback_tokenizer() -> dict[str, Any]:
    """As Llama 2's tokenizer.json: merges over pieces, bytes for the rest, a blank put before each text."""
    merges = [["▁", "t"], ["h", "e"], ["▁t", "he"], ["c", "a"], ["▁", "ca"], ["▁ca", "t"], ["한", "국"]]
    letters = [*"▁thecabx123", "한", "국"]
    pieces = [
        *("<unk>", "<s>", "</s>"),
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *("".join(pair) for pair in merges),
        *letters,
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, token in enumerate(("<unk>", "<s>", "</s>"))
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {piece: number for number, piece in enumerate(pieces)},
            # The older spelling of merges.
            "merges": [" ".join(pair) for pair in merges],
        },
    }


@pytest.fixture(params=list(TINY_MODELS))
def tiny_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """config.json of each tiny model in turn."""
    return {**TINY, **TINY_MODELS[request.param]}


@pytest.fixture
def config_of() -> Callable[[str], dict[str, Any]]:
    return lambda name: {**TINY, **TINY_MODELS[name]}


@pytest.fixture
def tokenizer_folder(tmp_path: Path, letter_tokenizer: dict[str, Any]) -> Callable[[Mapping[str, Any]], Path]:
    """Makes the tokenizer folder of a checkpoint with the letter tokenizer and the given config.json."""

    def make(config: Mapping[str, Any]) -> Path:
        source, target = tmp_path / "tokenizer_source", tmp_path / "tokenizer"
        source.mkdir()
        target.mkdir()
        (source / "tokenizer.json").write_text(json.dumps(letter_tokenizer))
        (source / "config.json").write_text(json.dumps(config))
        write_tokenizer_folder(source, ["tokenizer.json", "config.json"], "safetensors", target)
        return target

    return make


@pytest.fixture
def place(layout: Layout) -> Callable[..., Base]:
    """Puts files where a base's lie, and gives that base."""

    def put(
        files: Mapping[str, bytes],
        form: Literal["safetensors", "gguf", "remote"] = "safetensors",
        digit: str = "a",
    ) -> Base:
        folder = layout.base(digit * 64)
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return Base(
            id=digit * 64,
            name=f"tiny {form}",
            source="test",
            family="llama",
            architecture="LlamaForCausalLM",
            format=form,
            license=None,
            parameters=1,
            context_length=256,
            files=tuple(ModelFile(path=name, size=len(c), sha256="0" * 64) for name, c in files.items()),
            created_at=datetime.now(UTC),
        )

    return put


@pytest.fixture
async def starter_base(starter_base: Base, layout: Layout) -> Base:
    """Not converted yet."""
    shutil.rmtree(layout.derived(starter_base.id))
    return starter_base
