"""Filters over a document's own fields and its metadata."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.stores.conftest import AddDocument, MakeCollection
from twotrack.core.database import Database, as_jsonb
from twotrack.stores.filters import Filters, matching_documents

_DOCUMENTS: dict[str, dict[str, Any]] = {
    "fees-2025.csv": {"year": 2025, "office": "harbour", "valid": False, "from": "2025-01-01"},
    "fees-2026.csv": {"year": 2026.0, "office": "harbour", "valid": True, "from": "2026-01-01"},
    "minutes.md": {"year": "2026", "office": "council", "it's": "quoted"},
    "plain.txt": {},
}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"year": 2026}, {"fees-2026.csv"}),
        ({"year": "2026"}, {"minutes.md"}),
        ({"year": [2025, "2026"]}, {"fees-2025.csv", "minutes.md"}),
        ({"year": {"gte": 2025}}, {"fees-2025.csv", "fees-2026.csv"}),
        ({"year": {"gte": 2025.5, "lte": 3000}}, {"fees-2026.csv"}),
        ({"from": {"lte": "2025-12-31"}}, {"fees-2025.csv"}),
        ({"valid": True}, {"fees-2026.csv"}),
        ({"valid": 1}, set()),
        ({"office": "harbour", "year": 2025}, {"fees-2025.csv"}),
        ({"source": ["plain.txt", "minutes.md", "nothing"]}, {"plain.txt", "minutes.md"}),
        ({"media_type": "text/plain", "office": "council"}, {"minutes.md"}),
        ({"language": "ko"}, set()),
        ({"it's": "quoted"}, {"minutes.md"}),
        ({"x' OR true --": "y"}, set()),
        ({"year": []}, set()),
    ],
)
async def test_filters(
    database: Database,
    make_collection: MakeCollection,
    add_document: AddDocument,
    filters: dict[str, Any],
    found: set[str],
) -> None:
    collection, other = await make_collection("town"), await make_collection("other")
    names = {}
    for source, metadata in _DOCUMENTS.items():
        for place in (collection, other):
            document, _ = await add_document(place, source, ["text"])
            if place is collection:
                names[document] = source
            async with database.transaction() as connection:
                await connection.execute(
                    "UPDATE documents SET metadata = %s WHERE id = %s", (as_jsonb(metadata), document)
                )
    read = TypeAdapter(Filters).validate_python(filters)
    matching = await matching_documents(database, collection.id, read)
    assert matching is not None
    assert {names[document] for document in matching} == found


async def test_no_filter_means_every_document(database: Database, make_collection: MakeCollection) -> None:
    assert await matching_documents(database, (await make_collection("town")).id, {}) is None


@pytest.mark.parametrize(
    "broken",
    [{"year": {}}, {"year": {"gt": 3}}, {"": 1}, {"year": None}, {"y": [[1]]}, {"y": "\0"}, {"\ud800": 1}],
)
def test_what_is_no_filter_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Filters).validate_python(broken)
