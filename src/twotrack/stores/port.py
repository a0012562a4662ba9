"""The vector-store port: where the vectors of a collection lie and how the nearest of them are found."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from twotrack.stores.schemas import Hit

Vector = NDArray[np.float32]
"""Of unit length, shape [dimensions]."""

Row = tuple[int, UUID, Vector]
"""(chunk's id, document's id, vector)"""


class VectorStore(Protocol):
    """One back end. The contract that all of them keep is tests/contracts/test_stores.py.

    `collection` is a collection's `vectors`, the place where they lie.

    Raises:
        StoreAway: all of them, where it does not answer.
        VectorsGone: all but `create` and `drop`, where there is no such place.
    """

    async def create(
        self, collection: UUID, dimensions: int, *, half: bool = False, bound: bool = True
    ) -> None:
        """A place for vectors of that length; nothing happens where it exists already.

        Vectors that are not `bound` may come before their chunks do.
        """
        ...

    async def drop(self, collection: UUID) -> None:
        """All vectors of the collection; nothing happens where there are none."""
        ...

    async def put(self, collection: UUID, rows: Sequence[Row]) -> None:
        """Add vectors, or put others in the place of those with the same chunk ids."""
        ...

    async def remove(self, collection: UUID, chunk_ids: Sequence[int]) -> None: ...

    async def search(
        self, collection: UUID, vector: Vector, k: int, *, documents: Sequence[UUID] | None = None
    ) -> list[Hit]:
        """The `k` nearest by cosine similarity, the nearest first: fewer only where fewer match.

        `documents` keeps the search to these; None searches all of them.
        """
        ...

    async def missing(self, collection: UUID, chunk_ids: Sequence[int]) -> list[int]:
        """Those of the chunks that have no vector here: what a broken-off write left to be done."""
        ...

    async def ids(self, collection: UUID, after: int, limit: int) -> list[int]:
        """Ids of chunks that have a vector here, in their order, from the first one after `after` on."""
        ...

    async def count(self, collection: UUID) -> int: ...
