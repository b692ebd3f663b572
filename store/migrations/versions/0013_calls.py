"""The calls of endpoints that runs make: what is posted, and how often it was tried."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", Time, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "step", name="pk_calls"),
    )


def downgrade() -> None:
    op.drop_table("calls")
