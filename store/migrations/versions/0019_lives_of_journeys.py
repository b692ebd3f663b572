"""How journeys live: pause, with starts that wait; the end of a version; and what a run's end came from."""

from typing import Any

import sqlalchemy as sa

from store.migrations.gently import add_columns, build_index, create_table, drop_columns, drop_index, drop_table

revision = "0019"
down_revision = "0018"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    for table, names in _LIVES.items():
        add_columns(table, names)
    build_index("ix_runs_missing_since", "runs", ["missing_since"], where="missing_since IS NOT NULL")
    create_table(
        "waiting_starts",
        sa.Column("id", Number, nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_waiting_starts"),
    )
    build_index("ix_waiting_starts_journey_id", "waiting_starts", ["journey", "id"])
    build_index("ix_waiting_starts_customer", "waiting_starts", ["customer"])


def downgrade() -> None:
    drop_table("waiting_starts")
    drop_index("ix_runs_missing_since", "runs")
    for table, names in _LIVES.items():
        drop_columns(table, names)


_LIVES: dict[str, dict[str, Any]] = {
    "journeys": {
        "paused_at": Time,
        "catch_up": sa.Text,
        "catch_up_over": sa.Float,
        "closed_at": Time,
        "archived_at": Time,
    },
    "runs": {"ended_by": sa.Text, "skip_until": Time, "missing_since": Time},
}
