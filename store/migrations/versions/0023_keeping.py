"""What is left of what is pruned, and how what is long over is found."""

import sqlalchemy as sa

from store.migrations.gently import build_index, create_table, drop_index, drop_table

revision = "0023"
down_revision = "0022"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    create_table(
        "entries",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("keyed", sa.Boolean(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_at", Time, nullable=False),
        sa.Column("last_at", Time, nullable=False),
        sa.Column("met_goal", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "journey", "keyed", "key", name="pk_entries"),
    )
    create_table(
        "pruned_counts",
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "version", "did", name="pk_pruned_counts"),
    )
    create_table(
        "links",
        sa.Column("send", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text()),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("send", name="pk_links"),
    )
    build_index("ix_links_customer", "links", ["customer"])
    build_index("ix_links_at", "links", ["at"])
    build_index("ix_known_events_at", "known_events", ["at"])
    build_index("ix_runs_ended_at_id", "runs", ["ended_at", "id"], where="ended_at IS NOT NULL")
    build_index("ix_events_received_at", "events", ["received_at"])


def downgrade() -> None:
    drop_index("ix_events_received_at", "events")
    drop_index("ix_runs_ended_at_id", "runs")
    drop_index("ix_known_events_at", "known_events")
    for table in ("links", "pruned_counts", "entries"):
        drop_table(table)
