"""Versions to which the people inside older ones are moved, and how far that is."""

import sqlalchemy as sa

from store.migrations.gently import add_columns, drop_columns

revision = "0024"
down_revision = "0023"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


_MOVING = {"moving": sa.JSON, "moving_at": Time}


def upgrade() -> None:
    add_columns("versions", _MOVING)


def downgrade() -> None:
    drop_columns("versions", _MOVING)
