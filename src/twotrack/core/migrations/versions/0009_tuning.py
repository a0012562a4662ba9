"""Several adapters from one run, and what OpenAI's fine-tuning jobs have besides a run."""

from alembic import op

revision = "0009"
down_revision = "0008"

_SCHEMA = """
-- A run leaves one adapter of its end, whose step is null, and those of earlier steps that its recipe keeps.
ALTER TABLE adapters ADD COLUMN step integer;
ALTER TABLE adapters DROP CONSTRAINT adapters_job_id_key;
CREATE UNIQUE INDEX adapters_of_jobs ON adapters (job_id, step) NULLS NOT DISTINCT WHERE job_id IS NOT NULL;

-- A run that was asked for at /v1/fine_tuning/jobs. The files are data sets, which may
-- be deleted: the run has a copy of what it learns from.
CREATE TABLE fine_tuning_jobs (
    job_id          uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    training_file   uuid NOT NULL,
    validation_file uuid,
    suffix          text,
    metadata        jsonb,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fine_tuning_jobs_by_age ON fine_tuning_jobs (created_at, job_id);

CREATE INDEX events_by_job ON events ((details->>'job'));
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
