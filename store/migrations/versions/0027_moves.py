"""Moves: ids of calls, which stay where a step has another name, and when people were moved to a version last."""

import sqlalchemy as sa

from store.migrations.gently import add_columns, drop_columns

revision = "0027"
down_revision = "0026"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_ID = {"id": sa.Text()}
_MOVED = {"moved_at": Time}


def upgrade() -> None:
    add_columns("calls", _ID)
    add_columns("versions", _MOVED)


def downgrade() -> None:
    drop_columns("versions", _MOVED)
    drop_columns("calls", _ID)
