"""The business, one package a topic, the lowest first: see `docs/architecture.md`."""
