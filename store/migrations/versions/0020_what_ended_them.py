"""What the end of a run came from, where how it ended does not say so already: restarts, and what Temporal lost."""

from store.migrations.gently import change_rows

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    # The others are left as they are: to write a row for each run that is over would hold up whoever waits for this.
    change_rows("runs", "ended_by = 'restart'", "ended = 'exited' AND why = 'restarted'")
    change_rows("runs", "ended_by = 'missing'", "ended = 'aborted' AND why = 'Temporal does not know it any more'")


def downgrade() -> None:
    pass  # the column goes with the migration that made it
