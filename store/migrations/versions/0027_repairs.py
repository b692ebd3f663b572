"""Repairs: runs that are parked where something failed, and are told to try it again."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("repaired_at", Time))
    op.create_table(
        "repairs",
        sa.Column("id", Number, nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("step", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("since", Time),
        sa.Column("instead", sa.Text()),
        sa.Column("at", Time, nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repairs"),
    )


def downgrade() -> None:
    op.drop_table("repairs")
    with op.batch_alter_table("runs") as batch:
        batch.drop_column("repaired_at")
