"""Consents, suppressed addresses, the state of channels, and more about each send."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Time, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_channels"),
    )
    op.create_table(
        "consents",
        sa.Column("id", Number, nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_customer_channel_at", "consents", ["customer", "channel", "at"])
    op.create_table(
        "suppressions",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("channel", "address", name="pk_suppressions"),
    )
    op.add_column("interactions", sa.Column("machine", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sends", sa.Column("purpose", sa.Text(), nullable=True))
    op.add_column("sends", sa.Column("topic", sa.Text(), nullable=True))
    op.add_column("sends", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("sends", sa.Column("expires_at", Time, nullable=True))
    op.create_index("ix_sends_address_kind", "sends", ["address", "kind"])


def downgrade() -> None:
    op.drop_index("ix_sends_address_kind", "sends")
    for column in ("expires_at", "address", "topic", "purpose"):
        op.drop_column("sends", column)
    op.drop_column("interactions", "machine")
    op.drop_table("suppressions")
    op.drop_table("consents")
    op.drop_table("channels")
