"""The audit log: who changed what, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Number, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_what_id", "audit", ["what", "id"])
    op.create_index("ix_audit_by_id", "audit", ["by", "id"])


def downgrade() -> None:
    op.drop_table("audit")
