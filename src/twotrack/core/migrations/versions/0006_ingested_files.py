"""What became of each file of a job that takes documents in."""

from alembic import op

revision = "0006"
down_revision = "0005"

# Written with the document that it tells of, so that a job that goes on after a crash still knows it.
_SCHEMA = """
CREATE TABLE ingested_files (
    job_id      uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    source      text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('added', 'updated', 'unchanged', 'deleted', 'failed')),
    document_id uuid,
    copied      boolean NOT NULL DEFAULT false,
    chunks      integer NOT NULL DEFAULT 0,
    tokens      bigint NOT NULL DEFAULT 0,
    -- The problem document in each language: {"en": {…}, "ko": {…}}.
    error       jsonb,
    PRIMARY KEY (job_id, source)
);
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
