"""Scopes, principals and keys, as pure values."""
