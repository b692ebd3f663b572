"""The house's policy, with all that it was before; and what holds messages: of runs, and of a journey as a whole."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
IS_HELD = sa.text("held_by IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "policies",
        sa.Column("number", sa.Integer, autoincrement=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("changed_at", Time, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_policies"),
    )
    for table, names in _HOLDS.items():
        for name, kind in names.items():
            op.add_column(table, sa.Column(name, kind))
    op.create_index(
        "ix_runs_journey_held_by", "runs", ["journey", "held_by"], sqlite_where=IS_HELD, postgresql_where=IS_HELD
    )


def downgrade() -> None:
    op.drop_index("ix_runs_journey_held_by", "runs")
    for table, names in _HOLDS.items():
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.drop_column(name)
    op.drop_table("policies")


_HOLDS: dict[str, dict[str, Any]] = {
    "journeys": {"held_at": Time, "held_why": sa.Text, "released_at": Time},
    "runs": {"held_by": sa.Text, "held_since": Time, "held_until": Time, "held_why": sa.Text},
}
