"""What became of the actions of runs, and the journeys that led to each run."""

import sqlalchemy as sa
from alembic import op

from store.schema import Time

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "step", name="pk_actions"),
    )
    op.add_column("runs", sa.Column("chain", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column("runs", "chain")
    op.drop_table("actions")
