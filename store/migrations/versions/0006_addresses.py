"""Consents by address, suppressions with each reason by itself and their lifting, and one spelling for addresses."""

import sqlalchemy as sa
from alembic import op

from journeys.clearance.addresses import Unsendable, fingerprint, normal_each

revision = "0006"
down_revision = "0005"

Time = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

GONE = "the provider says that it does not exist"


def upgrade() -> None:
    op.create_table(
        "liftings",
        sa.Column("id", Number, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("suppressed_at", Time, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_liftings"),
    )
    op.create_index("ix_liftings_address", "liftings", ["address"])
    op.create_table(
        "test_sends",
        sa.Column("id", Number, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_test_sends"),
    )
    op.create_index("ix_test_sends_at", "test_sends", ["at"])
    with op.batch_alter_table("consents") as consents:
        consents.alter_column("customer", existing_type=sa.Text(), nullable=True)
        consents.add_column(sa.Column("address", sa.Text(), nullable=True))
    op.create_index("ix_consents_address_channel_at", "consents", ["address", "channel", "at"])
    op.drop_index("ix_sends_address_kind", "sends")
    op.create_index("ix_sends_address_kind_claimed_at", "sends", ["address", "kind", "claimed_at"])
    _rebuild_suppressions(
        sa.Column("id", Number, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_suppressions")
    )
    op.create_index(
        "ix_suppressions_address_channel_reason", "suppressions", ["address", "channel", "reason"], unique=True
    )
    _respell(op.get_bind())


def downgrade() -> None:
    op.drop_index("ix_suppressions_address_channel_reason", "suppressions")
    op.execute("DELETE FROM suppressions WHERE id NOT IN (SELECT MIN(id) FROM suppressions GROUP BY channel, address)")
    _rebuild_suppressions(sa.PrimaryKeyConstraint("channel", "address", name="pk_suppressions"))
    op.drop_index("ix_sends_address_kind_claimed_at", "sends")
    op.create_index("ix_sends_address_kind", "sends", ["address", "kind"])
    op.drop_index("ix_consents_address_channel_at", "consents")
    op.execute("DELETE FROM consents WHERE customer IS NULL")
    with op.batch_alter_table("consents") as consents:
        consents.drop_column("address")
        consents.alter_column("customer", existing_type=sa.Text(), nullable=False)
    op.drop_table("test_sends")
    op.drop_table("liftings")


def _rebuild_suppressions(*identity: sa.schema.SchemaItem) -> None:
    # Not renamed: in PostgreSQL the old table would go on owning the key's name.
    op.execute("CREATE TABLE suppressions_before AS SELECT channel, address, reason, at FROM suppressions")
    op.drop_table("suppressions")
    op.create_table(
        "suppressions",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Time, nullable=False),
        *identity,
    )
    op.execute(
        "INSERT INTO suppressions (channel, address, reason, at) "
        "SELECT channel, address, reason, at FROM suppressions_before ORDER BY at"
    )
    op.drop_table("suppressions_before")


def _respell(connection: sa.Connection) -> None:
    """Addresses had several fingerprints: a number without its plus was another one, and its STOP was not heard."""
    sent = "SELECT DISTINCT kind, recipient, address FROM sends WHERE recipient IS NOT NULL AND kind <> 'push'"
    for kind, recipient, before in connection.execute(sa.text(sent)).all():
        now = {"kind": kind, "recipient": recipient, "before": before, "address": fingerprint(kind, recipient)}
        if before != now["address"]:
            for statement in _MOVE:
                connection.execute(sa.text(statement), now)
        spelled = _spelled(kind, recipient)
        if spelled != [recipient]:
            about = {**now, "gone": GONE, "spelled": spelled[0] if spelled else None}
            connection.execute(sa.text(_MISSPELT), about)


def _spelled(kind: str, recipient: str) -> list[str]:
    try:
        return list(normal_each(kind, recipient))  # type: ignore[arg-type]
    except Unsendable:
        return []


_MOVE = (
    "UPDATE sends SET address = :address WHERE kind = :kind AND address = :before AND recipient = :recipient",
    """
    DELETE FROM suppressions WHERE channel = :kind AND address = :before AND reason IN (
        SELECT reason FROM suppressions WHERE channel = :kind AND address = :address
    )
    """,
    "UPDATE suppressions SET address = :address WHERE channel = :kind AND address = :before",
)
# What a provider refused was the spelling, as long as the number itself was never tried.
_MISSPELT = """
    DELETE FROM suppressions
    WHERE channel = :kind AND address = :address AND reason = :gone AND EXISTS (
        SELECT 1 FROM sends WHERE kind = :kind AND address = :address AND recipient = :recipient AND state = 'failed'
    ) AND NOT EXISTS (
        SELECT 1 FROM sends WHERE kind = :kind AND recipient = CAST(:spelled AS TEXT) AND state = 'failed'
    )
"""
