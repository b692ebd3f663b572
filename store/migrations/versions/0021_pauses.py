"""Pauses: when a journey was resumed, why a run leaves out what waited, and who made the events of waiting starts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")

_NEW: dict[str, dict[str, Any]] = {
    "journeys": {"resumed_at": {"type_": Time}},
    "runs": {"skip_why": {"type_": sa.Text}},
    "waiting_starts": {
        # Nobody has written any row yet.
        "day_seconds": {"type_": sa.Float, "nullable": False, "server_default": "86400"},
        "made_by": {"type_": sa.JSON},
    },
}


def upgrade() -> None:
    for table, columns in _NEW.items():
        for name, about in columns.items():
            op.add_column(table, sa.Column(name, **about))


def downgrade() -> None:
    for table, columns in _NEW.items():
        with op.batch_alter_table(table) as batch:
            for name in columns:
                batch.drop_column(name)
