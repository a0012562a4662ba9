"""Variants that turn the base's own branches, with or without adapters."""

from alembic import op

revision = "0011"
down_revision = "0010"

_SCHEMA = """
ALTER TABLE variants ADD COLUMN base_board jsonb;
-- A board of the base's own makes a variant of its own: variant zero has neither that nor adapters.
DROP INDEX one_variant_zero_a_base;
CREATE UNIQUE INDEX one_variant_zero_a_base ON variants (base_id)
    WHERE adapters = '[]'::jsonb AND base_board IS NULL;
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(_SCHEMA)
