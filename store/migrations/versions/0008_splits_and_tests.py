"""Places in arms for the first so many people, and who is in which arm of a test."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.create_table(
        "places",
        *_texts("journey", "step", "arm", "customer"),
        sa.PrimaryKeyConstraint("journey", "step", "arm", "customer", name="pk_places"),
    )
    op.create_table(
        "places_taken",
        *_texts("journey", "step", "arm"),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("journey", "step", "arm", name="pk_places_taken"),
    )
    op.create_table(
        "ab_tests",
        *_texts("journey", "step", "arms"),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("started_at", Time),
        sa.Column("decision", sa.JSON),
        sa.PrimaryKeyConstraint("journey", "step", "arms", name="pk_ab_tests"),
    )
    op.create_table(
        "ab_people",
        *_texts("journey", "step", "arms", "customer", "run", "arm"),
        sa.Column("at", Time, nullable=False),
        sa.Column("until", Time, nullable=False),
        sa.PrimaryKeyConstraint("journey", "step", "arms", "customer", name="pk_ab_people"),
    )
    op.create_index("ix_ab_people_journey_step_arms_until", "ab_people", ["journey", "step", "arms", "until"])


def downgrade() -> None:
    for table in ("ab_people", "ab_tests", "places_taken", "places"):
        op.drop_table(table)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
