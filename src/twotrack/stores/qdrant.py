"""Vectors in a Qdrant server, by URL (the extra `qdrant`): one collection there for each of ours."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from twotrack.stores.errors import StoreAway, VectorsGone
from twotrack.stores.port import Row, Vector
from twotrack.stores.schemas import Hit

_AT_ONCE = 512
_LEAST_EF = 128
_TIMEOUT_S = 30
_DOCUMENT = "document"


class QdrantStore:
    """See port.VectorStore. Points bear their chunks' ids, so that what is put again replaces itself."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url
        # It warns of whatever only a server makes use of.
        self._imitation = url == ":memory:"

    @classmethod
    def connect(cls, url: str, key: str | None = None) -> "QdrantStore":
        """Nothing is sent before the first use. ":memory:" is the client's own imitation of a server."""
        from qdrant_client import AsyncQdrantClient

        if url == ":memory:":
            return cls(AsyncQdrantClient(":memory:"), url)
        client = AsyncQdrantClient(url=url, api_key=key, timeout=_TIMEOUT_S, check_compatibility=False)
        parts = urlsplit(url)
        # What stands before the host is nobody's to read in an error.
        return cls(client, parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())

    async def close(self) -> None:
        await self._client.close()

    async def create(
        self, collection: UUID, dimensions: int, *, half: bool = False, bound: bool = True
    ) -> None:
        from qdrant_client import models

        name = _name(collection)
        async with self._asked():
            if await self._client.collection_exists(name):
                return
            await self._client.create_collection(
                name,
                vectors_config=models.VectorParams(
                    size=dimensions,
                    distance=models.Distance.COSINE,
                    datatype=models.Datatype.FLOAT16 if half else models.Datatype.FLOAT32,
                ),
            )
            if not self._imitation:
                # Without it a filter is a walk over all points.
                await self._client.create_payload_index(name, _DOCUMENT, models.PayloadSchemaType.KEYWORD)

    async def drop(self, collection: UUID) -> None:
        async with self._asked():
            await self._client.delete_collection(_name(collection))

    async def put(self, collection: UUID, rows: Sequence[Row]) -> None:
        from qdrant_client import models

        for start in range(0, len(rows), _AT_ONCE):
            chosen = rows[start : start + _AT_ONCE]
            points = models.Batch(
                ids=[chunk_id for chunk_id, _, _ in chosen],
                vectors=[vector.tolist() for _, _, vector in chosen],
                payloads=[{_DOCUMENT: str(document)} for _, document, _ in chosen],
            )
            async with self._asked():
                await self._client.upsert(_name(collection), points=points, wait=True)

    async def remove(self, collection: UUID, chunk_ids: Sequence[int]) -> None:
        from qdrant_client import models

        if not chunk_ids:
            return
        async with self._asked():
            await self._client.delete(
                _name(collection),
                points_selector=models.PointIdsList(points=list(chunk_ids)),
                wait=True,
            )

    async def search(
        self, collection: UUID, vector: Vector, k: int, *, documents: Sequence[UUID] | None = None
    ) -> list[Hit]:
        from qdrant_client import models

        if documents is not None and not documents:
            return []
        among = documents and models.Filter(
            must=[
                models.FieldCondition(
                    key=_DOCUMENT, match=models.MatchAny(any=[str(document) for document in documents])
                )
            ]
        )
        async with self._asked():
            found = await self._client.query_points(
                _name(collection),
                query=vector.tolist(),
                query_filter=among,
                limit=k,
                with_payload=[_DOCUMENT],
                search_params=None if self._imitation else models.SearchParams(hnsw_ef=max(_LEAST_EF, 2 * k)),
            )
        return [Hit(point.id, UUID(point.payload[_DOCUMENT]), float(point.score)) for point in found.points]

    async def missing(self, collection: UUID, chunk_ids: Sequence[int]) -> list[int]:
        there: set[int] = set()
        for start in range(0, len(chunk_ids), _AT_ONCE):
            async with self._asked():
                points = await self._client.retrieve(
                    _name(collection),
                    ids=list(chunk_ids[start : start + _AT_ONCE]),
                    with_payload=False,
                    with_vectors=False,
                )
            there.update(point.id for point in points)
        return sorted(set(chunk_ids) - there)

    async def ids(self, collection: UUID, after: int, limit: int) -> list[int]:
        async with self._asked():
            points, _ = await self._client.scroll(
                _name(collection), limit=limit, offset=after + 1, with_payload=False, with_vectors=False
            )
        return [point.id for point in points]

    async def count(self, collection: UUID) -> int:
        async with self._asked():
            counted = await self._client.count(_name(collection), exact=True)
        number: int = counted.count
        return number

    @asynccontextmanager
    async def _asked(self) -> AsyncGenerator[None, None]:
        from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

        try:
            yield
        except ApiException as error:
            if isinstance(error, UnexpectedResponse) and error.status_code == 404:
                raise VectorsGone() from error
            raise StoreAway(url=self._url, why=str(error)[:300] or type(error).__name__) from error
        except ValueError as error:
            if self._imitation and str(error).endswith("not found"):
                raise VectorsGone() from error
            raise


def _name(collection: UUID) -> str:
    return f"twotrack_{collection.hex}"
