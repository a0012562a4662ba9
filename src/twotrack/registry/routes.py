"""Models over HTTP: /api/models."""

from typing import Any

from fastapi import APIRouter, Request

from twotrack.core import jobs
from twotrack.core.access.roles import admin_only, caller_of
from twotrack.core.database import Database
from twotrack.core.jobs import Job
from twotrack.core.language import from_accept_language
from twotrack.registry import service, sources, tables
from twotrack.registry.layout import Layout
from twotrack.registry.names import check_name
from twotrack.registry.schemas import (
    BaseEntry,
    ModelList,
    NewName,
    NewVariant,
    Pull,
    Removed,
    Variant,
)

router = APIRouter(prefix="/api/models", tags=["models"])


@router.post("/pull", status_code=202, dependencies=[admin_only])
async def pull(request: Request, asked: Pull) -> Job:
    """Fetch a base; the answer is the job that does it. What can be refused at once is refused here."""
    sources.parse(asked.source, tokenizer=asked.tokenizer)
    args: dict[str, Any] = {"source": asked.source}
    if asked.name is not None:
        args["name"] = check_name(asked.name)
    if asked.tokenizer is not None:
        args["tokenizer"] = asked.tokenizer
    job_id = await jobs.enqueue(_database(request), "pull", args, by=caller_of(request))
    language = from_accept_language(request.headers.get("accept-language"))
    return await jobs.fetch(_database(request), job_id, language=language)


@router.get("")
async def list_models(request: Request) -> ModelList:
    """All bases, each with the variants and adapters that stand on it."""
    async with _database(request).transaction() as connection:
        bases = await tables.list_bases(connection)
        variants = await tables.list_variants(connection)
        adapters = await tables.list_adapters(connection)
    return ModelList(
        models=tuple(
            BaseEntry(
                base=base,
                variants=tuple(variant for variant in variants if variant.base_id == base.id),
                adapters=tuple(adapter for adapter in adapters if adapter.base_id == base.id),
            )
            for base in bases
        )
    )


@router.post("/variants", status_code=201)
async def create_variant(request: Request, new: NewVariant) -> Variant:
    """A variant from a base and some of its adapters, each with a gain or a board, and from a board of the
    base's own branches."""
    async with _database(request).transaction() as connection:
        return await service.create_variant(
            connection,
            name=new.name,
            base=new.base,
            adapters=[
                (choice.adapter, choice.gain if choice.board is None else choice.board)
                for choice in new.adapters
            ],
            base_board=new.base_board,
            by=caller_of(request),
        )


@router.patch("/{name}", dependencies=[admin_only])
async def rename(request: Request, name: str, new: NewName) -> Variant:
    async with _database(request).transaction() as connection:
        return await service.rename_variant(connection, name, new.name, by=caller_of(request))


@router.delete("/{name}", dependencies=[admin_only])
async def remove(request: Request, name: str, cascade: bool = False) -> Removed:
    """Remove a variant and the adapters that only it uses. A base's own variant takes the base along; where
    others stand on that, `cascade` takes them too."""
    layout: Layout = request.app.state.layout
    return await service.remove_variant(
        _database(request), layout, name, cascade=cascade, by=caller_of(request)
    )


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
