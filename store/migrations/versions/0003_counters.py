"""Counters of runs and of people, which were counted from the runs so far."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "counts",
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("journey", "version", "did", "shard", name="pk_counts"),
    )
    op.create_table(
        "people",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("met_goal", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "journey", name="pk_people"),
    )
    for fill in (_PEOPLE, _ENTERED, _ENDED, _FIRST_ENTERED, _FIRST_GOAL):
        op.execute(fill)


def downgrade() -> None:
    op.drop_table("people")
    op.drop_table("counts")


_PEOPLE = """
    INSERT INTO people
    SELECT customer, journey, COUNT(goal_met_at) > 0 FROM runs GROUP BY customer, journey
"""
_ENTERED = """
    INSERT INTO counts
    SELECT journey, version, 'entered', 0, COUNT(*) FROM runs GROUP BY journey, version
"""
_ENDED = """
    INSERT INTO counts
    SELECT journey, version, ended, 0, COUNT(*) FROM runs WHERE ended IS NOT NULL GROUP BY journey, version, ended
"""
# People are counted in the version in which it happened first.
_FIRST_ENTERED = """
    INSERT INTO counts
    SELECT journey, version, 'first entered', 0, COUNT(*)
    FROM (
        SELECT journey, version, ROW_NUMBER() OVER (PARTITION BY customer, journey ORDER BY entered_at, id) AS nth
        FROM runs
    ) AS entries
    WHERE nth = 1
    GROUP BY journey, version
"""
_FIRST_GOAL = """
    INSERT INTO counts
    SELECT journey, version, 'first goal', 0, COUNT(*)
    FROM (
        SELECT journey, version, ROW_NUMBER() OVER (PARTITION BY customer, journey ORDER BY goal_met_at, id) AS nth
        FROM runs
        WHERE goal_met_at IS NOT NULL
    ) AS goals
    WHERE nth = 1
    GROUP BY journey, version
"""
