"""What the contract suite cannot show: a server that is away, and a collection that needs one."""

import socket
from uuid import uuid4

import pytest

from tests.stores.conftest import MakeCollection
from twotrack.core.database import Database
from twotrack.stores.choice import Stores
from twotrack.stores.errors import StoreAway, StoreUnknown
from twotrack.stores.pgvector import PgVectorStore
from twotrack.stores.qdrant import QdrantStore


async def test_a_server_that_is_away_is_named_without_what_opens_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = QdrantStore.connect(f"http://user:secret@127.0.0.1:{port}")
    with pytest.raises(StoreAway) as refused:
        await store.count(uuid4())
    await store.close()
    assert f"127.0.0.1:{port}" in str(refused.value)
    assert "secret" not in str(refused.value)


async def test_a_collection_is_kept_where_it_says(
    database: Database, make_collection: MakeCollection
) -> None:
    here = await make_collection("town")
    there = here.model_copy(update={"store": "qdrant"})
    stores = Stores(database)
    assert isinstance(stores.store_for(here), PgVectorStore)
    with pytest.raises(StoreUnknown, match="TWOTRACK_QDRANT_URL|Qdrant server"):
        stores.store_for(there)
    stores = Stores(database, qdrant_url=":memory:")
    assert stores.store_for(there) is stores.store_for(there)
    assert isinstance(stores.store_for(there), QdrantStore)
    await stores.close()
