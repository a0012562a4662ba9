"""Keys, each the identity of somebody who uses the studio, and what belongs to whom."""

from alembic import op

revision = "0003"
down_revision = "0002"

_SCHEMA = """
-- Of a key only the SHA-256 is kept. A revoked one stays, for what it owns and for the log.
-- `expired_at` is when the studio first saw that `expires_at` had passed: from then on the key is dead also
-- for a clock that is set back.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name         text NOT NULL,
    role         text NOT NULL CHECK (role IN ('admin', 'user')),
    hash         bytea NOT NULL UNIQUE,
    hint         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at   timestamptz,
    expired_at   timestamptz,
    revoked_at   timestamptz
);
CREATE UNIQUE INDEX one_living_key_a_name ON api_keys (name) WHERE revoked_at IS NULL;

-- NULL is the studio's owner: loopback without a login, and the key of the environment.
ALTER TABLE chat_sessions ADD COLUMN owner uuid REFERENCES api_keys;
ALTER TABLE jobs ADD COLUMN owner uuid REFERENCES api_keys;
DROP INDEX chat_sessions_by_change;
CREATE INDEX chat_sessions_by_change ON chat_sessions (owner, updated_at DESC, id DESC);
CREATE INDEX jobs_by_owner ON jobs (owner, created_at, id) WHERE owner IS NOT NULL;

-- A topic of core/notifications.py: who holds keys and settings in memory reads them again.
CREATE FUNCTION notify_of_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('twotrack', 'access');
    RETURN NULL;
END;
$$;
CREATE TRIGGER notify_of_keys
    AFTER INSERT OR DELETE OR UPDATE OF name, role, hash, expires_at, expired_at, revoked_at ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION notify_of_access();
CREATE TRIGGER notify_of_settings AFTER INSERT OR DELETE ON admin_settings
    FOR EACH STATEMENT EXECUTE FUNCTION notify_of_access();
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
