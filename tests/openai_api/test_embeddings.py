"""/v1/embeddings through the official client."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.embedders.conftest import embedder_layout as embedder_layout
from tests.serving.rag.conftest import lend_embedder
from twotrack.registry.layout import Layout

MODEL = "multilingual-e5-small"


@pytest.fixture(scope="module", autouse=True)
def _embedder(embedder_layout: Layout, studio_home: Path) -> None:
    if not (studio_home / "derived" / "embedders").exists():
        lend_embedder(embedder_layout, studio_home)


def _vectors(answer: Any) -> np.ndarray[Any, Any]:
    return np.array([one.embedding for one in answer.data], dtype=np.float32)


def test_vectors_of_unit_length_in_the_order_of_the_texts(openai: OpenAI) -> None:
    texts = ["The ferry leaves at eight.", "배는 여덟 시에 떠납니다.", "Cheese is made of milk."]
    # The client asks for base64 unless it is told otherwise.
    answer = openai.embeddings.create(model=MODEL, input=texts)
    vectors = _vectors(answer)
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 0
    plain = _vectors(openai.embeddings.create(model=MODEL, input=texts[1], encoding_format="float"))
    assert np.allclose(plain[0], vectors[1], atol=1e-3)


def test_a_question_is_embedded_otherwise_than_a_passage(openai: OpenAI) -> None:
    asked = [
        openai.embeddings.create(model=MODEL, input="ferry", extra_body={"input_type": kind})
        for kind in ("query", "passage")
    ]
    assert not np.allclose(_vectors(asked[0]), _vectors(asked[1]), atol=1e-3)


@pytest.fixture
def strange_collection(studio_database_url: str) -> Iterator[str]:
    """An embedder that a collection records, on a server where nobody listens."""
    name, key = "openai:http://127.0.0.1:9/v1#none", uuid4()
    with psycopg.connect(studio_database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO collections (id, name, embedder, chunking, store, half, vectors)"
            " VALUES (%s, %s, %s, %s, 'pgvector', false, %s)",
            (key, str(key), json.dumps({"id": name, "dimensions": 3}), '{"tokens": 64, "overlap": 0}', key),
        )
        yield name
        connection.execute("DELETE FROM collections WHERE id = %s", (key,))


def test_only_embedders_of_collections_are_asked(openai: OpenAI, strange_collection: str) -> None:
    for address in ("openai:http://127.0.0.1:9/v1#other", "folder:/etc", "SmolLM2-135M-Instruct"):
        with pytest.raises(NotFoundError):
            openai.embeddings.create(model=address, input="x")
    with pytest.raises(Exception, match="127.0.0.1:9") as refused:
        openai.embeddings.create(model=strange_collection, input="x")
    assert not isinstance(refused.value, NotFoundError)


def test_what_cannot_be_embedded_is_refused(openai: OpenAI) -> None:
    for broken in ("", [], ["x", ""], "word " * 600):
        with pytest.raises(BadRequestError):
            openai.embeddings.create(model=MODEL, input=broken)
    for more in ({"dimensions": 64}, {"extra_body": {"truncate": True}}):
        with pytest.raises(BadRequestError):
            openai.embeddings.create(model=MODEL, input="x", **more)
