"""Messages as a tree with one path shown, feedback on answers, search in chats."""

from alembic import op

revision = "0004"
down_revision = "0003"

_SCHEMA = """
-- `parent_id` is the message before it; `active` is whether the message lies on the path that is shown.
-- `number` orders siblings: clocks go back, and transactions begin in another order than they write.
ALTER TABLE chat_messages
    ADD COLUMN parent_id uuid,
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
UPDATE chat_messages AS message SET parent_id = before.id FROM chat_messages AS before
    WHERE before.session_id = message.session_id AND before.position = message.position - 1;
ALTER TABLE chat_messages
    ADD UNIQUE (session_id, id),
    ADD FOREIGN KEY (session_id, parent_id) REFERENCES chat_messages (session_id, id),
    DROP CONSTRAINT chat_messages_session_id_position_key;
CREATE UNIQUE INDEX chat_messages_shown ON chat_messages (session_id, position) WHERE active;
CREATE INDEX chat_messages_children ON chat_messages (session_id, parent_id, number);
CREATE INDEX chat_messages_streaming ON chat_messages (session_id) WHERE state = 'streaming';

-- What is written anew every second while it is said must not be taken apart every second.
CREATE INDEX chat_messages_text ON chat_messages USING gin (content gin_trgm_ops)
    WHERE active AND state <> 'streaming';

CREATE TABLE feedback (
    message_id uuid PRIMARY KEY REFERENCES chat_messages ON DELETE CASCADE,
    rating     smallint CHECK (rating IN (-1, 1)),
    correction text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (rating IS NOT NULL OR correction IS NOT NULL)
);
CREATE INDEX feedback_by_age ON feedback (created_at DESC, message_id DESC);
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
