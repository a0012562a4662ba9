"""Embedders whose model lies on this machine: the default one, and folders of sentence-transformers."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from twotrack.core.language import Text
from twotrack.embedders import e5_file, e5_wheel
from twotrack.embedders.port import EmbedderFailed, EmbedderUnknown, Kind, Vectors
from twotrack.embedders.process import ChildCalls
from twotrack.registry.layout import Layout

# Texts of one message: it becomes a frame of some hundred kB, and other calls get their turn in between.
_AT_ONCE = 128

_NO_VECTORS = Text(
    "its model computed vectors of another length, or of what is no number",
    "모델이 길이가 다르거나 숫자가 아닌 벡터를 계산했습니다",
)


_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


class LocalEmbedder:
    """See port.TokenEmbedder."""

    def __init__(self, name: str, dimensions: int, longest: int, child: ChildCalls) -> None:
        self.id = name
        self.dimensions = dimensions
        self.longest = longest
        self._child = child

    async def embed(self, texts: Sequence[str], *, kind: Kind) -> Vectors:
        parts = [np.empty((0, self.dimensions), dtype=np.float32)]
        for start in range(0, len(texts), _AT_ONCE):
            chosen = list(texts[start : start + _AT_ONCE])
            answer = await self._child.call({"op": "embed", "texts": chosen, "kind": kind})
            vectors = np.frombuffer(base64.b64decode(answer), "<f4").reshape(len(chosen), -1)
            if vectors.shape[1] != self.dimensions or not np.isfinite(vectors).all():
                raise EmbedderFailed(name=self.id, why=_NO_VECTORS)
            parts.append(vectors)
        return np.concatenate(parts)

    async def count(self, texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        for start in range(0, len(texts), 8 * _AT_ONCE):
            chosen = list(texts[start : start + 8 * _AT_ONCE])
            counts.extend(await self._child.call({"op": "count", "texts": chosen}))
        return counts

    async def match(self, question: str, passages: Sequence[str]) -> list[float]:
        message = {"op": "match", "question": question, "texts": list(passages)}
        scores: list[float] = await self._child.call(message)
        if len(scores) != len(passages):
            why = Text("it did not look at every passage", "모든 구절을 비교하지 않았습니다")
            raise EmbedderFailed(name=self.id, why=why)
        return scores

    async def close(self) -> None:
        await self._child.close()


async def default_embedder(
    layout: Layout, *, bulk: bool, threads: int | None = None, idle_s: float | None = None
) -> LocalEmbedder:
    """multilingual-e5-small, fetched at its first use. `bulk` takes torch where it is installed.

    Raises as e5_wheel.install does.
    """
    folder = await e5_wheel.install(layout)
    spec = {
        "kind": "torch" if bulk and has_torch() else "llama",
        "folder": str(folder),
        "prefixes": {"query": "query: ", "passage": "passage: "},
        "longest": e5_file.LONGEST,
        "threads": threads,
    }
    child = ChildCalls(e5_wheel.NAME, spec, idle_s=idle_s)
    return LocalEmbedder(e5_wheel.NAME, e5_wheel.DIMENSIONS, e5_file.LONGEST, child)


async def folder_embedder(
    address: str, folder: Path, *, threads: int | None = None, idle_s: float | None = None
) -> LocalEmbedder:
    """A folder of sentence-transformers. Its id holds a hash of its weights: altered, it is another one.

    Raises:
        EmbedderUnknown: no such folder, no safetensors in it, code of its own, or no torch to run it.
    """
    config = await asyncio.to_thread(_read_folder, address, folder)
    spec = {
        "kind": "folder",
        "folder": str(folder),
        "prefixes": config["prefixes"],
        "longest": config["longest"],
        "threads": threads,
    }
    name = f"folder:{folder}#{config['hash'][:16]}"
    return LocalEmbedder(name, config["dimensions"], config["longest"], ChildCalls(name, spec, idle_s=idle_s))


def has_torch() -> bool:
    return find_spec("torch") is not None and find_spec("transformers") is not None


def _read_folder(address: str, folder: Path) -> dict[str, Any]:
    def refuse(en: str, ko: str) -> EmbedderUnknown:
        return EmbedderUnknown(name=address, why=Text(en, ko))

    if not folder.is_absolute() or not (folder / "config.json").is_file():
        raise refuse(
            "there is no config.json in a folder of that absolute path",
            "그 절대 경로의 폴더에 config.json이 없습니다",
        )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and (pickled := sorted(file.name for end in _PICKLED for file in folder.glob(end))):
        raise refuse(
            f"its weights are pickled ({pickled[0]}), which could run code and is never read; "
            "save it as safetensors",
            f"가중치가 pickle 형식이라({pickled[0]}) 코드를 실행할 수 있어 읽지 않습니다. "
            "safetensors로 저장하세요",
        )
    if not weights:
        raise refuse("it holds no safetensors", "safetensors 파일이 없습니다")
    if not (folder / e5_file.TOKENIZER).is_file():
        raise refuse("it has no tokenizer.json", "tokenizer.json이 없습니다")
    if not has_torch():
        raise refuse(
            "it needs torch, which this installation does not have",
            "torch가 필요한데 설치되어 있지 않습니다",
        )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        prompts = _json_or_empty(folder / "config_sentence_transformers.json").get("prompts") or {}
        limit = _json_or_empty(folder / "sentence_bert_config.json").get("max_seq_length")
        dimensions = int(config["hidden_size"])
        longest = int(limit or config.get("max_position_embeddings") or 512)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise refuse(
            f"its configuration cannot be read: {error}", f"설정을 읽을 수 없습니다: {error}"
        ) from error
    if "auto_map" in config:
        raise refuse(
            "it wants to run code of its own, which is never done",
            "자체 코드를 실행하려는 모델은 쓰지 않습니다",
        )
    digest = hashlib.sha256()
    for file in weights:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return {
        "dimensions": dimensions,
        "longest": longest,
        "prefixes": {
            "query": str(prompts.get("query", "")),
            "passage": str(prompts.get("passage", prompts.get("document", ""))),
        },
        "hash": digest.hexdigest(),
    }


def _json_or_empty(path: Path) -> dict[str, Any]:
    loaded = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return loaded if isinstance(loaded, dict) else {}
