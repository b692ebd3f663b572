"""Keys with names, and the hashes of their secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.create_table(
        "keys",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("triggers", sa.JSON, nullable=False),
        sa.Column("origins", sa.JSON, nullable=False),
        sa.Column("per_second", sa.Float),
        sa.Column("until", Time),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_keys"),
    )
    op.create_table(
        "key_secrets",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("until", Time),
        sa.Column("used_at", Time),
        sa.PrimaryKeyConstraint("digest", name="pk_key_secrets"),
    )
    op.create_index("ix_key_secrets_key", "key_secrets", ["key"])


def downgrade() -> None:
    op.drop_table("key_secrets")
    op.drop_table("keys")
