"""The answers of a run are found among its decisions."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_decisions_run_did", "decisions", ["run", "did"])
    op.drop_index("ix_decisions_run", "decisions")


def downgrade() -> None:
    op.create_index("ix_decisions_run", "decisions", ["run"])
    op.drop_index("ix_decisions_run_did", "decisions")
