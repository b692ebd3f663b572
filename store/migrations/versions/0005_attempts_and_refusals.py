"""A send counts its repeats in doubt, the outbox knows what was refused and what can wait, runs are found by age."""

import sqlalchemy as sa
from alembic import op

from store.schema import Time

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("sends", sa.Column("repeats", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("outbox", sa.Column("refused_at", Time()))
    op.add_column("outbox", sa.Column("bulk", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_outbox_bulk_id", "outbox", ["bulk", "id"])
    op.drop_index("ix_outbox_due_at", "outbox")
    op.create_index("ix_runs_step_at_id", "runs", ["step_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_runs_step_at_id", "runs")
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"])
    op.drop_index("ix_outbox_bulk_id", "outbox")
    op.drop_column("outbox", "bulk")
    op.drop_column("outbox", "refused_at")
    op.drop_column("sends", "repeats")
