"""Fixtures come from `tests/support/`, one module per kind."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres", "tests.support.api"]

# A shared machine may stand still for a moment at any time: that is no failure.
settings.register_profile("headroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headroom")
