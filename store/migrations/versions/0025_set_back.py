"""That the database seems to have been set back, so that nothing is sent until somebody says so."""

import sqlalchemy as sa

from store.migrations.gently import create_table, drop_table

revision = "0025"
down_revision = "0024"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    create_table(
        "house",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("set_back_at", Time, nullable=False),
        sa.Column("set_back_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_house"),
    )


def downgrade() -> None:
    drop_table("house")
