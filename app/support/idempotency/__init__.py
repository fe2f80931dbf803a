"""Exactly once: the answer to a POST with an `Idempotency-Key` is kept in the transaction it belongs to."""
