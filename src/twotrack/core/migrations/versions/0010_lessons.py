"""What was learned from the screen, and which of two answers was liked better."""

from alembic import op

revision = "0010"
down_revision = "0009"

_SCHEMA = """
-- A training run over what people said of answers. Written before its job: a run whose job or adapter never
-- came to be has taught nothing. `owner` is whose feedback it is, or who had everybody's learned.
CREATE TABLE lesson_runs (
    run_id     uuid PRIMARY KEY,
    owner      uuid REFERENCES api_keys,
    base_id    text NOT NULL,
    -- Id of the variant that answered before it.
    before     uuid NOT NULL,
    everybody  boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX lesson_runs_by_age ON lesson_runs (owner, base_id, created_at);

-- What of it was learned. `digest` is the SHA-256 of the sample: a correction that was changed since is a new
-- one. `kind`: 'correction', 'praise', or 'unfit' for what was left out since the base cannot take it.
CREATE TABLE lessons (
    run_id     uuid NOT NULL REFERENCES lesson_runs ON DELETE CASCADE,
    message_id uuid NOT NULL REFERENCES chat_messages ON DELETE CASCADE,
    digest     text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('correction', 'praise', 'unfit')),
    PRIMARY KEY (run_id, message_id)
);
CREATE INDEX lessons_of_message ON lessons (message_id);

-- Two answers to one question, side by side: the kept one, and another that was only shown. One vote a pair.
CREATE TABLE votes (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    message_id    uuid NOT NULL REFERENCES chat_messages ON DELETE CASCADE,
    other         text NOT NULL,
    other_variant text NOT NULL,
    kept_is_better boolean NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX one_vote_a_pair ON votes (message_id, md5(other), other_variant);
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
