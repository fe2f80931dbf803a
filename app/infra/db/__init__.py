"""PostgreSQL: metadata and types, engines, paging, migrations, and the embedded server."""
