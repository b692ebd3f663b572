"""Until when a run waits, where that is a moment: computed once, and kept."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("step_until", Time))


def downgrade() -> None:
    op.drop_column("runs", "step_until")
