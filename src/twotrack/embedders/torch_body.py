"""An encoder through torch: several times faster than llama.cpp on processors with bf16, and on a GPU.

Takes the default embedder's GGUF, whose blocks are unpacked to numbers, or a folder of sentence-transformers
with a BERT-like model in it. See child.Body.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twotrack.embedders.port import Vectors, unit_rows

# Tokens of one pass with its padding. Texts of like length go together, so that little of it is padding.
_TOKENS = 2048
_BF16_MUST_BE_FASTER = 1.15


class TorchBody:
    def __init__(self, model: Any, *, pooling: str, threads: int | None) -> None:
        import torch

        from twotrack.engines.machine import usable_threads
        from twotrack.engines.precision import choose_device

        torch.set_num_threads(threads or usable_threads())
        self._device = choose_device()
        self._model = model.to(self._device).eval()
        self._pooling = pooling
        self._bf16 = _bf16_is_faster(self._device)
        self.dimensions: int = model.config.hidden_size

    def embed(self, texts: Sequence[Sequence[int]]) -> Vectors:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for index, tokens in self._passes(texts):
            vectors[index] = tokens[0] if self._pooling == "cls" else tokens.mean(axis=0)
        return unit_rows(vectors)

    def tokens(self, texts: Sequence[Sequence[int]]) -> list[Vectors]:
        found = [np.empty((0, self.dimensions), dtype=np.float32)] * len(texts)
        for index, tokens in self._passes(texts):
            found[index] = unit_rows(tokens)
        return found

    def _passes(self, texts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Vectors]]:
        """(index of a text, what the model makes of its tokens), in any order."""
        import torch

        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        with (
            torch.inference_mode(),
            torch.autocast(self._device, torch.bfloat16, enabled=self._bf16),
        ):
            while order:
                # Sorted: the last of them is the longest, and sets how wide the others become.
                taken = 1
                while taken < len(order) and (taken + 1) * len(texts[order[taken]]) <= _TOKENS:
                    taken += 1
                chosen, order = order[:taken], order[taken:]
                hidden = self._pass([texts[index] for index in chosen])
                for row, index in enumerate(chosen):
                    yield index, hidden[row, : len(texts[index])]

    def _pass(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Shape [texts, tokens of the longest, dimensions]."""
        import torch

        width = max(map(len, texts))
        ids = torch.zeros((len(texts), width), dtype=torch.long)
        mask = torch.zeros((len(texts), width), dtype=torch.long)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = torch.tensor(text)
            mask[row, : len(text)] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        result: Vectors = hidden.cpu().numpy()
        return result


def _bf16_is_faster(device: str) -> bool:
    from twotrack.engines.precision import choose_precision

    _, timings = choose_precision(device)
    prefill = {timing.precision: timing.prefill_ms for timing in timings}
    return "bf16" in prefill and prefill["fp32"] >= _BF16_MUST_BE_FASTER * prefill["bf16"]


def load_gguf(folder: Path, *, threads: int | None) -> TorchBody:
    """The default embedder; its GGUF is our own (e5_file.py)."""
    import gguf
    import torch
    from transformers import BertConfig, BertModel

    from twotrack.embedders.e5_file import MODEL

    reader = gguf.GGUFReader(folder / MODEL)

    def number(name: str) -> Any:
        return reader.fields[f"bert.{name}"].contents()

    weights = {
        tensor.name: torch.from_numpy(
            np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        )
        for tensor in reader.tensors
    }
    config = BertConfig(
        vocab_size=weights["token_embd.weight"].shape[0],
        hidden_size=number("embedding_length"),
        num_hidden_layers=number("block_count"),
        num_attention_heads=number("attention.head_count"),
        intermediate_size=number("feed_forward_length"),
        max_position_embeddings=number("context_length"),
        type_vocab_size=weights["token_types.weight"].shape[0],
        layer_norm_eps=number("attention.layer_norm_epsilon"),
    )
    # On no device: the weights take the place of what would be drawn at random.
    with torch.device("meta"):
        model = BertModel(config, add_pooling_layer=False)
    state = {_bert_name(name): tensor for name, tensor in weights.items()}
    model.load_state_dict(state, strict=True, assign=True)
    for name, buffer in list(model.named_buffers()):
        # Positions and types are counted, not stored.
        module, _, short = name.rpartition(".")
        fresh = torch.arange(config.max_position_embeddings).expand(buffer.shape)
        fresh = torch.zeros(buffer.shape, dtype=torch.long) if short == "token_type_ids" else fresh
        model.get_submodule(module).register_buffer(short, fresh, persistent=False)
    return TorchBody(model, pooling="mean", threads=threads)


_PARTS = {
    "token_embd": "embeddings.word_embeddings",
    "position_embd": "embeddings.position_embeddings",
    "token_types": "embeddings.token_type_embeddings",
    "token_embd_norm": "embeddings.LayerNorm",
    "attn_q": "attention.self.query",
    "attn_k": "attention.self.key",
    "attn_v": "attention.self.value",
    "attn_output": "attention.output.dense",
    "attn_output_norm": "attention.output.LayerNorm",
    "ffn_up": "intermediate.dense",
    "ffn_down": "output.dense",
    "layer_output_norm": "output.LayerNorm",
}


def _bert_name(name: str) -> str:
    """blk.3.attn_q.weight → encoder.layer.3.attention.self.query.weight"""
    parts = name.split(".")
    if parts[0] == "blk":
        return f"encoder.layer.{parts[1]}.{_PARTS[parts[2]]}.{parts[3]}"
    return f"{_PARTS[parts[0]]}.{parts[1]}"


def load_folder(folder: Path, *, threads: int | None) -> TorchBody:
    """A folder of sentence-transformers: config.json, safetensors, 1_Pooling/config.json."""
    from transformers import AutoModel

    pooling = folder / "1_Pooling" / "config.json"
    says = json.loads(pooling.read_text(encoding="utf-8")) if pooling.exists() else {}
    if not says.get("pooling_mode_cls_token", False) and not says.get("pooling_mode_mean_tokens", True):
        raise ValueError(f"{pooling} names neither the mean of the tokens nor the first token")
    model = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    name = "cls" if says.get("pooling_mode_cls_token", False) else "mean"
    return TorchBody(model, pooling=name, threads=threads)
