"""The machinery under the business: clock, transaction, database, HTTP, logs and metrics."""
