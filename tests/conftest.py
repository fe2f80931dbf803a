"""Fixtures come from `tests/support/`, one module per kind."""

from __future__ import annotations

pytest_plugins = ["tests.support.postgres", "tests.support.api"]
