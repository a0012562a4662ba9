"""/v1/embeddings: texts in, vectors out, by the embedders that collections are made with."""

import base64
from typing import Any

import numpy as np

from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput
from twotrack.core.language import Text
from twotrack.embedders.port import Vectors
from twotrack.embedders.service import DEFAULT, Embedders
from twotrack.openai_api.errors import UnsupportedParameter
from twotrack.openai_api.schemas import EmbeddingRequest
from twotrack.registry.errors import ModelNotFound

_EMPTY = Text("a text is empty", "빈 글이 있습니다")
_OTHER_LENGTH = Text("vectors of this model have a fixed length", "이 모델의 벡터 길이는 고정되어 있습니다")


async def embeddings(database: Database, embedders: Embedders, asked: EmbeddingRequest) -> dict[str, Any]:
    """
    Raises:
        ModelNotFound: neither the default nor one that a collection was made with.
        UnsupportedParameter
        InvalidInput: an empty text, or one that the model would cut off.
        EmbedderDied, EmbedderFailed
    """
    asked.refuse_what_would_be_ignored()
    texts = asked.texts
    if not texts or not all(texts):
        raise InvalidInput(what="input", value="", why=_EMPTY)
    # An address of an embedder names folders and servers: whoever has a key must not choose those.
    if asked.model != DEFAULT and asked.model not in await _in_use(database):
        raise ModelNotFound(name=asked.model)
    embedder = await embedders.get(asked.model)
    if asked.dimensions not in (None, embedder.dimensions):
        raise UnsupportedParameter(what="dimensions", why=_OTHER_LENGTH)
    tokens = await embedder.count(texts)
    if max(tokens) > embedder.longest:
        longest = texts[int(np.argmax(tokens))]
        raise InvalidInput(what="input", value=longest[:80], why=_too_long(embedder.longest))
    vectors = await embedder.embed(texts, kind=asked.input_type)
    return {
        "object": "list",
        "model": embedder.id,
        "data": [
            {"object": "embedding", "index": index, "embedding": _coded(vector, asked.encoding_format)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": sum(tokens), "total_tokens": sum(tokens)},
    }


async def _in_use(database: Database) -> set[str]:
    rows = await database.fetch_all("SELECT DISTINCT embedder ->> 'id' AS id FROM collections")
    return {row["id"] for row in rows}


def _too_long(limit: int) -> Text:
    return Text(f"it has more than {limit} tokens", f"{limit} 토큰보다 깁니다")


def _coded(vector: Vectors, form: str | None) -> Any:
    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.tolist()
