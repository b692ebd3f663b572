"""When a call was tried last, and when it is tried next: without it, nobody knows what became of the last try."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.add_column("calls", sa.Column("tried_at", Time))
    op.add_column("calls", sa.Column("next_at", Time))


def downgrade() -> None:
    op.drop_column("calls", "next_at")
    op.drop_column("calls", "tried_at")
