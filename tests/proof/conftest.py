"""Fixtures of the proofs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.infra.clock import FrozenClock
from app.settings import Settings
from tests.proof.background import Background, in_background


@pytest.fixture
def company(settings: Settings, clock: FrozenClock) -> Iterator[Background]:
    """The application on a database of the test's own, on a thread of its own."""
    with in_background(settings, clock) as background:
        yield background
