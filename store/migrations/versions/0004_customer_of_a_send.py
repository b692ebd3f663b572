"""Sends know their customer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("sends", sa.Column("customer", sa.Text(), nullable=True))
    op.execute("UPDATE sends SET customer = (SELECT runs.customer FROM runs WHERE runs.id = sends.run)")
    with op.batch_alter_table("sends") as sends:
        sends.alter_column("customer", existing_type=sa.Text(), nullable=False)
    op.create_index("ix_sends_customer_kind_claimed_at", "sends", ["customer", "kind", "claimed_at"])


def downgrade() -> None:
    op.drop_index("ix_sends_customer_kind_claimed_at", "sends")
    op.drop_column("sends", "customer")
