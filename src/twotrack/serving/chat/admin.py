"""Admin settings: what holds for every answer unless a request says otherwise.

Every change is a row; the newest one holds, and is read for every request, so that it acts at once.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from twotrack.core import events
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.access.keyring import Rules
from twotrack.core.access.origins import check_origin
from twotrack.core.database import Database, as_jsonb
from twotrack.core.errors import Conflict
from twotrack.core.language import Text
from twotrack.engines.pool import EnginePool
from twotrack.registry.tables import get_variant
from twotrack.serving.chat.queue import AdmissionQueue
from twotrack.serving.chat.schemas import ModelName, StoredText

_NEWEST = "SELECT revision, settings, created_at FROM admin_settings ORDER BY revision DESC LIMIT 1"


class AdminSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    default_variant: ModelName | None = Field(
        default=None, description="name of the variant that answers; by default the oldest base"
    )
    system_prompt: Annotated[StoredText, Field(max_length=32_768)] = Field(
        default="", description="given to chats that bring none of their own"
    )
    temperature: float = Field(default=0.7, ge=0, le=2, description="0 is greedy")
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1, le=131_072, description="length of an answer at most")
    concurrency: int = Field(default=4, ge=1, le=64, description="requests answered at the same time")
    queue_length: int = Field(
        default=80,
        ge=0,
        le=10_000,
        # One client may hold two thirds of it: fifty at once from one address are all answered.
        description="requests that wait; beyond it they are refused with 429",
    )
    requests_per_client: int | None = Field(
        default=None, ge=1, le=10_000, description="requests of one client inside at the same time"
    )
    memory_budget_mib: int | None = Field(
        default=None,
        ge=64,
        le=2**30,
        description="memory for loaded models; null is what TWOTRACK_MEMORY_BUDGET_MIB says, or 70 % of the "
        "machine's. Lowered, it unloads idle models when the next one is loaded",
    )
    batch_size: int = Field(default=256, ge=1, le=10_000, description="questions in one batch at most")
    requests_per_minute: int | None = Field(
        default=600, ge=1, le=1_000_000, description="of one key, or of one address without a key"
    )
    answer_seconds: int = Field(
        default=600, ge=1, le=86_400, description="an answer that takes longer is cut off"
    )
    allowed_origins: tuple[Annotated[str, AfterValidator(check_origin)], ...] = Field(
        default=(),
        max_length=100,
        description="origins (https://host[:port]) whose pages may use this studio, with a key",
    )
    learn_from_everybody: bool = Field(
        default=False,
        description="administrators may have everybody's corrections and marks learned, with the "
        "conversations before them; otherwise each their own alone",
    )


class SettingsRevision(AdminSettings):
    """Settings as they hold, and as they are changed: fields that a change does not name stay as they are."""

    revision: int | None = Field(
        default=None,
        ge=0,
        description="number of the change that made these, 0 before the first; sent with a change, "
        "it is the revision that the change started from, and an outdated one is refused",
    )
    created_at: datetime | None = Field(default=None, description="set by the studio")


_BOOKKEEPING = {"revision", "created_at"}
_OUTDATED = Text(
    "The settings were changed by somebody else in the meantime.", "그사이 다른 사람이 설정을 바꾸었습니다."
)


async def load_settings(database: Database) -> SettingsRevision:
    return _read(await database.fetch_one(_NEWEST))


async def load_rules(database: Database) -> Rules:
    """What the gate needs of the settings."""
    settings = await load_settings(database)
    return Rules(frozenset(settings.allowed_origins), settings.requests_per_minute)


async def change_settings(
    database: Database, change: SettingsRevision, *, by: Caller = OWNER
) -> SettingsRevision:
    """Add a revision: the present settings with the fields that `change` names.

    Raises:
        Conflict: `change.revision` is not the newest revision any more.
        NotFound: there is no variant of that name.
    """
    async with database.transaction() as connection:
        # Of two changes at once the second waits here, and then sees the first.
        await connection.execute("LOCK TABLE admin_settings IN SHARE ROW EXCLUSIVE MODE")
        present = _read(await (await connection.execute(_NEWEST)).fetchone())
        if change.revision is not None and change.revision != present.revision:
            raise Conflict(why=_OUTDATED)
        named = change.model_dump(mode="json", include=change.model_fields_set - _BOOKKEEPING)
        settings = present.model_dump(mode="json", exclude=_BOOKKEEPING) | named
        if name := named.get("default_variant"):
            await get_variant(connection, name)
        cursor = await connection.execute(
            "INSERT INTO admin_settings (settings) VALUES (%s) RETURNING revision, settings, created_at",
            [as_jsonb(settings)],
        )
        changed = _read(await cursor.fetchone())
        before = present.model_dump(mode="json")
        differing = {
            field: {"before": before[field], "after": value}
            for field, value in named.items()
            if before[field] != value
        }
        if differing:
            await events.append(
                connection,
                "settings.changed",
                by=by.details(),
                revision=changed.revision,
                changes=differing,
            )
        return changed


def apply_limits(queue: AdmissionQueue, engines: EnginePool, settings: AdminSettings) -> None:
    budget = settings.memory_budget_mib
    engines.set_budget(None if budget is None else budget * 2**20)
    queue.set_limits(
        concurrency=settings.concurrency,
        queue_length=settings.queue_length,
        requests_per_client=settings.requests_per_client,
    )


def _read(row: dict[str, Any] | None) -> SettingsRevision:
    if row is None:
        return SettingsRevision(revision=0)
    # Of another version's settings, what this one does not know is left out.
    known = {key: value for key, value in row["settings"].items() if key in AdminSettings.model_fields}
    return SettingsRevision(**known, revision=row["revision"], created_at=row["created_at"])
