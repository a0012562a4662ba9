"""Where a collection's vectors lie gets a name of its own, so that others can be made beside them."""

from alembic import op

revision = "0007"
down_revision = "0006"

_SCHEMA = """
-- The vectors that answer: the table vectors_<this id in hex>, or a Qdrant collection named after it.
ALTER TABLE collections ADD COLUMN vectors uuid;
UPDATE collections SET vectors = id;
ALTER TABLE collections ALTER COLUMN vectors SET NOT NULL;

-- Places of vectors that are no collection's: not yet (`job_id` is filling it), or no longer.
CREATE TABLE spare_vectors (
    id         uuid PRIMARY KEY,
    store      text NOT NULL,
    job_id     uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Chunks of documents that are cut anew for another embedder, until they take the place of the old ones.
-- Their ids are drawn from those of chunks, which they become.
CREATE TABLE staged_chunks (
    place            uuid NOT NULL,
    id               bigint PRIMARY KEY,
    document_id      uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    staged_at        timestamptz NOT NULL DEFAULT now(),
    position         integer NOT NULL,
    start            integer NOT NULL,
    stop             integer NOT NULL,
    page             integer,
    heading          text NOT NULL,
    tokens           integer NOT NULL,
    text             text NOT NULL,
    bigrams          tsvector NOT NULL,
    bigrams_length   integer NOT NULL,
    morphemes        tsvector,
    morphemes_length integer
);
CREATE INDEX staged_chunks_of_document ON staged_chunks (document_id);
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
