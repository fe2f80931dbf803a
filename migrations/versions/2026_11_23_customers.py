"""Customers and their contacts.

Revision ID: customers
Revises: support
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "customers"
down_revision: str | None = "support"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Part of a name in any case is searched by trigrams.
    op.execute("create extension if not exists pg_trgm")
    _create_customers()
    _index_customers()
    _create_contacts()


def downgrade() -> None:
    op.drop_table("contacts")
    op.drop_table("customers")


def _create_customers() -> None:
    op.create_table(
        "customers",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text()),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("registration_scheme", sa.Text()),
        sa.Column("registration_value", sa.Text()),
        sa.Column("industry", sa.Text()),
        sa.Column("founded_on", sa.Date()),
        sa.Column("size", sa.Text()),
        sa.Column("parent_id", sa.Text()),
        sa.Column("profile", sa.Text(), server_default="default", nullable=False),
        sa.Column("terms_kind", sa.Text(), nullable=False),
        sa.Column("net_days", sa.BigInteger(), nullable=False),
        sa.Column("due_from", sa.Text(), nullable=False),
        sa.Column("discount_percent", sa.Numeric(5, 2), nullable=False),
        sa.Column("discount_days", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name="pk_customers"),
        sa.ForeignKeyConstraint(["parent_id"], ["customers.customer_id"], name="fk_customers_parent_id_customers"),
        sa.CheckConstraint("parent_id <> customer_id", name=op.f("ck_customers_not_its_own_parent")),
        sa.CheckConstraint(
            "(registration_scheme is null) = (registration_value is null)",
            name=op.f("ck_customers_registration_whole"),
        ),
        sa.CheckConstraint("terms_kind in ('account', 'prepaid', 'cash')", name=op.f("ck_customers_terms_kind")),
        sa.CheckConstraint("due_from in ('invoice', 'month_end')", name=op.f("ck_customers_due_from")),
        sa.CheckConstraint("net_days >= 0 and discount_days >= 0", name=op.f("ck_customers_days_not_negative")),
        sa.CheckConstraint("discount_percent between 0 and 100", name=op.f("ck_customers_discount_percent")),
    )


def _index_customers() -> None:
    op.create_index("ix_customers_updated_at_customer_id", "customers", ["updated_at", "customer_id"])
    op.create_index("ix_customers_profile_updated_at", "customers", ["profile", "updated_at"])
    op.create_index(
        "ix_customers_parent_id", "customers", ["parent_id"], postgresql_where=sa.text("parent_id is not null")
    )
    op.create_index(
        "ix_customers_search",
        "customers",
        ["name", "customer_id"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops", "customer_id": "gin_trgm_ops"},
    )


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("written_to_at", sa.DateTime(timezone=True)),
        sa.Column("replaced_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name="fk_contacts_customer_id_customers"),
    )
    op.create_index("ix_contacts_customer_id_position", "contacts", ["customer_id", "position"])
