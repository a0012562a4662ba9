"""Training data that was uploaded, or made of what was."""

from alembic import op

revision = "0008"
down_revision = "0007"

_SCHEMA = """
-- The bytes lie in the data folder under the row's id. `recognized` says what they are and what the columns
-- mean (learning/data/schemas.py), `columns` what was mapped by hand; `made` the recipe of a set that was
-- shaped, mixed or split off; `report` what the last check found, with `checked` for what it was asked.
CREATE TABLE data_sets (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner      uuid REFERENCES api_keys,
    name       text NOT NULL,
    size       bigint NOT NULL,
    sha256     text NOT NULL,
    columns    jsonb NOT NULL DEFAULT '{}',
    recognized jsonb NOT NULL,
    made       jsonb,
    report     jsonb,
    checked    jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX data_sets_by_age ON data_sets (created_at, id);
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
