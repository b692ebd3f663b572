"""Ids of events that are kept no more, and of customers who were erased: as hashes, which tell them again."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    for table in ("known_events", "erasures"):
        op.create_table(
            table,
            sa.Column("digest", sa.Text(), nullable=False),
            sa.Column("at", Time, nullable=False),
            sa.PrimaryKeyConstraint("digest", name=f"pk_{table}"),
        )


def downgrade() -> None:
    op.drop_table("erasures")
    op.drop_table("known_events")
