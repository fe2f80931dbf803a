"""Runs the migrations on the connection that `app.infra.db.migrating` hands over."""

from __future__ import annotations

from alembic import context

from migrations.tables import all_tables, is_ours

connection = context.config.attributes["connection"]
if connection is None:
    raise RuntimeError("migrations are run through app.infra.db.migrating (`headroom migrate`)")

context.configure(
    connection=connection,
    target_metadata=all_tables(),
    include_name=is_ours,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
