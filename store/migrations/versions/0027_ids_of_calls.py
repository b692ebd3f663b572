"""Ids of calls, which stay where the step of a run that is moved has another name."""

import sqlalchemy as sa

from store.migrations.gently import add_columns, drop_columns

revision = "0027"
down_revision = "0026"

_ID = {"id": sa.Text()}


def upgrade() -> None:
    add_columns("calls", _ID)


def downgrade() -> None:
    drop_columns("calls", _ID)
