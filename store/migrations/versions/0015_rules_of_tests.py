"""The rules by which a test of arms began, and when it is to be looked at.

No release has had tests: those of a checkout between releases begin anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.execute("DELETE FROM ab_people")
    op.drop_table("ab_tests")
    _create(
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("due_at", Time, nullable=False),
    )


def downgrade() -> None:
    op.execute("DELETE FROM ab_people")
    op.drop_table("ab_tests")
    _create(sa.Column("people", sa.Integer, nullable=False), sa.Column("started_at", Time))


def _create(*columns: sa.Column[object]) -> None:
    names = ("journey", "step", "arms")
    op.create_table(
        "ab_tests",
        *(sa.Column(name, sa.Text, nullable=False) for name in names),
        *columns,
        sa.Column("decision", sa.JSON),
        sa.PrimaryKeyConstraint(*names, name="pk_ab_tests"),
    )
