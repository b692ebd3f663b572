"""Changes of customers are events, and since when an attribute has its type."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.add_column("events", sa.Column("before", sa.JSON(), nullable=True))
    op.add_column("customer_attributes", sa.Column("declared", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("customer_attributes", sa.Column("since", Time, nullable=True))


def downgrade() -> None:
    op.drop_column("customer_attributes", "since")
    op.drop_column("customer_attributes", "declared")
    op.drop_column("events", "before")
