"""Collections of documents, their chunks with both lexical columns, and one table of vectors for each."""

from alembic import op

revision = "0005"
down_revision = "0004"

_SCHEMA = """
-- `embedder` and `chunking` record what made the vectors and the chunks; `statistics` what BM25 needs to know
-- of the whole collection, brought up to date at the end of every job that changes it.
-- Vectors lie in tables of their own, vectors_<id in hex> (stores/pgvector.py), or in a Qdrant server.
CREATE TABLE collections (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text NOT NULL UNIQUE,
    embedder   jsonb NOT NULL,
    chunking   jsonb NOT NULL,
    store      text NOT NULL CHECK (store IN ('pgvector', 'qdrant')),
    half       boolean NOT NULL DEFAULT false,
    statistics jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

-- `source` is where it came from: a path below the ingested folder, the name of an upload, a URL.
-- `pages` and `headings` hold places in `text`, in characters: [start, …] and [[start, level, title], …].
CREATE TABLE documents (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    source        text NOT NULL,
    origin        text NOT NULL CHECK (origin IN ('folder', 'upload', 'url')),
    title         text NOT NULL,
    media_type    text NOT NULL,
    sha256        text NOT NULL,
    size          bigint NOT NULL,
    language      text,
    state         text NOT NULL CHECK (state IN ('reading', 'ready', 'failed')),
    -- The problem document in each language: {"en": {…}, "ko": {…}}.
    error         jsonb,
    text          text NOT NULL DEFAULT '',
    pages         jsonb,
    headings      jsonb NOT NULL DEFAULT '[]',
    metadata      jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (collection_id, source)
);
CREATE INDEX documents_by_content ON documents (collection_id, sha256);
CREATE INDEX documents_by_metadata ON documents USING gin (metadata jsonb_path_ops);

-- text = substr(documents.text, start + 1, stop - start). The lexemes keep their positions, for how often a
-- term stands in the chunk; the lengths count all of them, as BM25 wants.
CREATE TABLE chunks (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id      uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    collection_id    uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    position         integer NOT NULL,
    start            integer NOT NULL,
    stop             integer NOT NULL,
    page             integer,
    heading          text NOT NULL DEFAULT '',
    tokens           integer NOT NULL,
    text             text NOT NULL,
    bigrams          tsvector NOT NULL,
    bigrams_length   integer NOT NULL,
    morphemes        tsvector,
    morphemes_length integer,
    UNIQUE (document_id, position)
);
CREATE INDEX chunks_of_collection ON chunks (collection_id);
CREATE INDEX chunks_bigrams ON chunks USING gin (bigrams);
CREATE INDEX chunks_morphemes ON chunks USING gin (morphemes);
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
