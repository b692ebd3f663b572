"""What the end of a run came from, where how it ended does not say so already: restarts, and what Temporal lost."""

from alembic import op

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    # The others are left as they are: to write a row for each run that is over would hold up whoever waits for this.
    op.execute("UPDATE runs SET ended_by = 'restart' WHERE ended = 'exited' AND why = 'restarted'")
    op.execute(
        "UPDATE runs SET ended_by = 'missing' WHERE ended = 'aborted' AND why = 'Temporal does not know it any more'"
    )


def downgrade() -> None:
    pass  # the column goes with the migration that made it
