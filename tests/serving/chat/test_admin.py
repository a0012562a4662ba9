"""Admin settings: every change is a revision, and the newest one holds."""

import pytest

from twotrack.core.database import Database
from twotrack.core.errors import Conflict
from twotrack.engines.pool import EnginePool
from twotrack.registry.errors import ModelNotFound
from twotrack.serving.chat.admin import SettingsRevision, apply_limits, change_settings, load_settings
from twotrack.serving.chat.queue import AdmissionQueue


async def test_before_the_first_change_the_defaults_hold(database: Database) -> None:
    settings = await load_settings(database)
    assert settings.revision == 0
    assert settings.default_variant is None
    assert settings.concurrency >= 1


async def test_a_change_keeps_what_it_does_not_name(database: Database) -> None:
    await change_settings(database, SettingsRevision(temperature=0, system_prompt="한국어로 답하세요."))
    changed = await change_settings(database, SettingsRevision(max_tokens=7))
    assert (changed.temperature, changed.max_tokens) == (0, 7)
    assert changed.system_prompt == "한국어로 답하세요."
    assert await load_settings(database) == changed


async def test_every_change_stays_as_a_row(database: Database) -> None:
    first = await change_settings(database, SettingsRevision(temperature=0.1))
    second = await change_settings(database, SettingsRevision(temperature=0.2))
    rows = await database.fetch_all("SELECT revision, settings FROM admin_settings ORDER BY revision")
    assert [row["revision"] for row in rows] == [first.revision, second.revision]
    assert [row["settings"]["temperature"] for row in rows] == [0.1, 0.2]


async def test_a_change_of_an_outdated_revision_is_refused(database: Database) -> None:
    seen = await load_settings(database)
    await change_settings(database, SettingsRevision(temperature=0.1, revision=seen.revision))
    with pytest.raises(Conflict):
        await change_settings(database, SettingsRevision(temperature=0.2, revision=seen.revision))
    assert (await load_settings(database)).temperature == 0.1


async def test_a_default_variant_that_does_not_exist_is_refused(database: Database) -> None:
    with pytest.raises(ModelNotFound, match="nobody"):
        await change_settings(database, SettingsRevision(default_variant="nobody"))
    assert (await load_settings(database)).revision == 0


async def test_settings_of_another_version_are_read_as_far_as_they_are_known(database: Database) -> None:
    await database.execute(
        """INSERT INTO admin_settings (settings) VALUES ('{"temperature": 1.5, "of_the_future": 1}')"""
    )
    settings = await load_settings(database)
    assert settings.temperature == 1.5
    assert settings.max_tokens == SettingsRevision().max_tokens


def test_limits_reach_the_queue_and_the_engines() -> None:
    queue, engines = AdmissionQueue(), EnginePool(2**30)
    apply_limits(queue, engines, SettingsRevision(concurrency=3, queue_length=5, memory_budget_mib=64))
    assert (queue.status().concurrency, queue.status().queue_length) == (3, 5)
    assert engines.budget_bytes == 64 * 2**20
    apply_limits(queue, engines, SettingsRevision())
    assert engines.budget_bytes == 2**30
