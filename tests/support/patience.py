"""Waiting for what happens in the code under test, which tells nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 60
"""Generous, for a busy machine."""


async def until(condition: Callable[[], object]) -> None:
    """Returns as soon as `condition` holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - no event of ours says so
            await asyncio.sleep(0.01)
