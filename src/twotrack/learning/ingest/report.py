"""What became of each file of a job: noted with the document itself, so that no crash makes it untrue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from twotrack.core.database import Connection, Database, as_jsonb
from twotrack.core.errors import TwotrackError
from twotrack.core.language import Language
from twotrack.learning.ingest.schemas import IngestedFile, IngestReport, Outcome, Refusal
from twotrack.stores.schemas import Collection

_TOLD_FAILURES = 100


@dataclass(frozen=True)
class Noted:
    outcome: Outcome
    document_id: UUID | None = None
    copied: bool = False
    chunks: int = 0
    tokens: int = 0
    error: TwotrackError | None = None


async def note(connection: Connection, job: UUID, source: str, noted: Noted) -> None:
    """In the transaction that writes the document. What an earlier attempt added stays added."""
    error = noted.error and {"en": noted.error.problem("en"), "ko": noted.error.problem("ko")}
    await connection.execute(
        "INSERT INTO ingested_files AS known"
        " (job_id, source, outcome, document_id, copied, chunks, tokens, error)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (job_id, source) DO UPDATE SET document_id = excluded.document_id,"
        " copied = excluded.copied, chunks = excluded.chunks, tokens = excluded.tokens,"
        " error = excluded.error, outcome = CASE WHEN known.outcome = 'added'"
        " AND excluded.outcome = 'updated' THEN 'added' ELSE excluded.outcome END",
        (
            *(job, source, noted.outcome, noted.document_id, noted.copied, noted.chunks, noted.tokens),
            as_jsonb(error) if error else None,
        ),
    )


async def note_all(
    connection: Connection, job: UUID, outcome: Outcome, documents: Mapping[str, UUID]
) -> None:
    """The same for many, by their sources; what is noted of one already says more."""
    await connection.execute(
        "INSERT INTO ingested_files (job_id, source, outcome, document_id)"
        " SELECT %s, source, %s, id FROM unnest(%s::text[], %s::uuid[]) AS arrived (source, id)"
        " ON CONFLICT DO NOTHING",
        (job, outcome, list(documents), list(documents.values())),
    )


async def summarize(database: Database, job: UUID, collection: Collection, *, skipped: int) -> IngestReport:
    rows = await database.fetch_all(
        "SELECT outcome, count(*) AS files, count(*) FILTER (WHERE copied) AS copied,"
        " sum(chunks) AS chunks, sum(tokens) AS tokens"
        " FROM ingested_files WHERE job_id = %s GROUP BY outcome",
        (job,),
    )
    counts: dict[Outcome, int] = {row["outcome"]: row["files"] for row in rows}
    deleted = counts.get("deleted", 0)
    failures = await database.fetch_all(
        "SELECT source, error FROM ingested_files WHERE job_id = %s AND outcome = 'failed'"
        " ORDER BY source LIMIT %s",
        (job, _TOLD_FAILURES),
    )
    return IngestReport(
        collection=collection.name,
        collection_id=collection.id,
        documents=sum(counts.values()) - deleted,
        added=counts.get("added", 0),
        updated=counts.get("updated", 0),
        unchanged=counts.get("unchanged", 0),
        copied=sum(row["copied"] for row in rows),
        deleted=deleted,
        failed=counts.get("failed", 0),
        skipped=skipped,
        chunks=sum(row["chunks"] for row in rows),
        tokens=int(sum(row["tokens"] for row in rows)),
        failures=[
            Refusal(source=row["source"], en=_sentence(row["error"]["en"]), ko=_sentence(row["error"]["ko"]))
            for row in failures
        ],
    )


async def list_files(
    database: Database,
    job: UUID,
    *,
    outcomes: Sequence[Outcome] = (),
    after: str | None = None,
    limit: int = 100,
    language: Language = "en",
) -> list[IngestedFile]:
    """In the order of their sources; `after` is the last source of the page before."""
    rows = await database.fetch_all(
        "SELECT source, outcome, document_id, copied, chunks, error FROM ingested_files"
        " WHERE job_id = %(job)s AND (%(all)s OR outcome = ANY(%(outcomes)s))"
        " AND (%(after)s::text IS NULL OR source > %(after)s) ORDER BY source LIMIT %(limit)s",
        {"job": job, "all": not outcomes, "outcomes": list(outcomes), "after": after, "limit": limit},
    )
    return [
        IngestedFile.model_validate({**row, "error": row["error"] and row["error"][language]}) for row in rows
    ]


def _sentence(problem: Mapping[str, str]) -> str:
    detail, remedy = problem["detail"], problem.get("remedy")
    if remedy is None:
        return detail
    return f"{detail}{'' if detail.endswith(('.', '?', '!')) else '.'} {remedy}"
