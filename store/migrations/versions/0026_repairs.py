"""Repairs: runs that are parked where something failed, and are told to try it again."""

import sqlalchemy as sa

from store.migrations.gently import add_columns, create_table, drop_columns, drop_table

revision = "0026"
down_revision = "0025"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_REPAIRED = {"repaired_at": Time}


def upgrade() -> None:
    add_columns("runs", _REPAIRED)
    create_table(
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
    drop_table("repairs")
    drop_columns("runs", _REPAIRED)
