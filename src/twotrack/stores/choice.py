"""Which store holds a collection's vectors."""

from importlib.util import find_spec

from twotrack.core.database import Database
from twotrack.stores.errors import StoreUnknown
from twotrack.stores.pgvector import PgVectorStore
from twotrack.stores.port import VectorStore
from twotrack.stores.qdrant import QdrantStore
from twotrack.stores.schemas import Collection, StoreKind


class Stores:
    """The stores of one process. A Qdrant server is connected to when a collection first needs it."""

    def __init__(
        self, database: Database, *, qdrant_url: str | None = None, qdrant_key: str | None = None
    ) -> None:
        self._pgvector = PgVectorStore(database)
        self._url = qdrant_url
        self._key = qdrant_key
        self._qdrant: QdrantStore | None = None

    def store_for(self, collection: Collection) -> VectorStore:
        """
        Raises:
            StoreUnknown: it lies in Qdrant, and no server is set or its client is not installed.
        """
        return self.store(collection.store, of=collection.name)

    def store(self, kind: StoreKind, *, of: str = "") -> VectorStore:
        """
        Raises:
            StoreUnknown
        """
        if kind == "pgvector":
            return self._pgvector
        if self._qdrant is None:
            if not self._url or find_spec("qdrant_client") is None:
                raise StoreUnknown(name=of)
            self._qdrant = QdrantStore.connect(self._url, self._key)
        return self._qdrant

    async def close(self) -> None:
        qdrant, self._qdrant = self._qdrant, None
        if qdrant is not None:
            await qdrant.close()
