"""Keys in the database: what is kept of them, who may be called what, two administrators at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError

from twotrack.core import events
from twotrack.core.access import keys
from twotrack.core.access.caller import OWNER, Caller
from twotrack.core.access.errors import KeyNameTaken, KeyNotFound, KeyOver, KeyPastItsTime
from twotrack.core.access.schemas import KeyChange, NewKey
from twotrack.core.database import Database
from twotrack.core.errors import InvalidInput, TwotrackError

ADMIN = Caller(uuid4(), "지민", "admin")
IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)
AN_HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


async def test_a_secret_has_256_random_bits_and_only_its_hash_is_kept(database: Database) -> None:
    made = [await keys.create_key(database, NewKey(name=str(number)), ADMIN) for number in range(3)]
    assert len({one.secret for one in made}) == 3
    for one in made:
        assert one.secret.startswith("ttk-")
        assert len(one.secret) == 47
        row = await database.fetch_one("SELECT * FROM api_keys WHERE id = %s", [one.key.id])
        assert row is not None
        assert row["hash"] == keys.hashed(one.secret)
        assert one.secret not in str(row)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\nb", "a\u202eb", "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        NewKey(name=name)


async def test_two_living_keys_never_have_one_name_and_a_revoked_one_gives_it_free(
    database: Database,
) -> None:
    first = await keys.create_key(database, NewKey(name="봇"), ADMIN)
    with pytest.raises(KeyNameTaken):
        await keys.create_key(database, NewKey(name=" 봇 "), ADMIN)
    other = await keys.create_key(database, NewKey(name="other"), ADMIN)
    with pytest.raises(KeyNameTaken):
        await keys.change_key(database, other.key.id, KeyChange(name="봇"), ADMIN)
    await keys.revoke_key(database, first.key.id, ADMIN)
    await keys.create_key(database, NewKey(name="봇"), ADMIN)
    assert [(key.name, key.state) for key in await keys.list_keys(database)] == [
        ("봇", "active"),
        ("other", "active"),
        ("봇", "revoked"),
    ]


async def test_a_change_keeps_what_it_does_not_name(database: Database) -> None:
    made = await keys.create_key(database, NewKey(name="a", role="admin", expires_at=IN_AN_HOUR), ADMIN)
    renamed = await keys.change_key(database, made.key.id, KeyChange(name="b"), ADMIN)
    assert (renamed.name, renamed.role, renamed.expires_at) == ("b", "admin", IN_AN_HOUR)
    lasting = await keys.change_key(database, made.key.id, KeyChange(expires_at=None), ADMIN)
    assert (lasting.name, lasting.expires_at) == ("b", None)
    for nothing in (KeyChange(name=None), KeyChange(role=None)):
        with pytest.raises(InvalidInput):
            await keys.change_key(database, made.key.id, nothing, ADMIN)


async def test_an_end_in_the_past_is_refused(database: Database) -> None:
    with pytest.raises(InvalidInput):
        await keys.create_key(database, NewKey(name="a", expires_at=AN_HOUR_AGO), ADMIN)
    made = await keys.create_key(database, NewKey(name="a"), ADMIN)
    with pytest.raises(InvalidInput):
        await keys.change_key(database, made.key.id, KeyChange(expires_at=AN_HOUR_AGO), ADMIN)


async def test_an_expired_key_is_not_renewed_but_lives_again_with_a_later_end(database: Database) -> None:
    made = await keys.create_key(database, NewKey(name="a", expires_at=IN_AN_HOUR), ADMIN)
    await database.execute("UPDATE api_keys SET expires_at = %s, expired_at = now()", [AN_HOUR_AGO])
    with pytest.raises(KeyPastItsTime):
        await keys.renew_key(database, made.key.id, ADMIN)
    assert (await keys.list_keys(database))[0].state == "expired"
    extended = await keys.change_key(database, made.key.id, KeyChange(expires_at=IN_AN_HOUR), ADMIN)
    assert extended.state == "active"


async def test_what_is_not_there_or_over_says_so(database: Database) -> None:
    made = await keys.create_key(database, NewKey(name="a"), ADMIN)
    await keys.revoke_key(database, made.key.id, ADMIN)
    await keys.revoke_key(database, made.key.id, ADMIN)
    for key_id, error in ((uuid4(), KeyNotFound), (made.key.id, KeyOver)):
        with pytest.raises(error):
            await keys.renew_key(database, key_id, ADMIN)
        with pytest.raises(error):
            await keys.change_key(database, key_id, KeyChange(name="b"), ADMIN)
    with pytest.raises(KeyNotFound):
        await keys.revoke_key(database, uuid4(), ADMIN)


async def test_of_two_administrators_at_once_the_second_sees_the_first(database: Database) -> None:
    made = await keys.create_key(database, NewKey(name="a"), ADMIN)

    async def outcome(work: object) -> str:
        try:
            await work  # type: ignore[misc]
        except TwotrackError as error:
            return error.code
        return "done"

    for _ in range(5):
        # Both renewals count, one after the other: one secret is left.
        renewed = await asyncio.gather(*(keys.renew_key(database, made.key.id, ADMIN) for _ in range(4)))
        row = await database.fetch_one("SELECT hash FROM api_keys")
        assert row is not None
        assert [keys.hashed(one.secret) for one in renewed].count(row["hash"]) == 1
    created = await asyncio.gather(
        *(outcome(keys.create_key(database, NewKey(name="same"), ADMIN)) for _ in range(5))
    )
    assert sorted(created) == ["done"] + ["key-name-taken"] * 4
    ended = await asyncio.gather(
        outcome(keys.revoke_key(database, made.key.id, OWNER)),
        outcome(keys.renew_key(database, made.key.id, ADMIN)),
        outcome(keys.change_key(database, made.key.id, KeyChange(role="admin"), ADMIN)),
        outcome(keys.revoke_key(database, made.key.id, ADMIN)),
    )
    assert set(ended) <= {"done", "key-over"}
    assert (ended[0], ended[3]) == ("done", "done")
    # Whatever came first, the key is revoked, and that once.
    assert len(await events.list_events(database, kind="key.revoked")) == 1
    with pytest.raises(KeyOver):
        await keys.renew_key(database, made.key.id, ADMIN)


async def test_every_change_is_in_the_log_with_who_made_it(database: Database) -> None:
    made = await keys.create_key(database, NewKey(name="a"), ADMIN)
    await keys.renew_key(database, made.key.id, ADMIN)
    await keys.change_key(database, made.key.id, KeyChange(role="admin"), ADMIN)
    await keys.change_key(database, made.key.id, KeyChange(role="admin"), ADMIN)
    await keys.revoke_key(database, made.key.id, OWNER)
    log = list(reversed(await events.list_events(database)))
    assert [event.kind for event in log] == ["key.created", "key.renewed", "key.changed", "key.revoked"]
    assert all(event.details["key_id"] == str(made.key.id) for event in log)
    assert [event.details["by"]["name"] for event in log] == ["지민"] * 3 + ["owner"]
    assert log[2].details["changes"] == {"role": {"before": "user", "after": "admin"}}
