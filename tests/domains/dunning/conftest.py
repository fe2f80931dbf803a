"""Fixtures of the dunning tests."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from tests.domains.dunning.world import Company


@pytest.fixture
async def company(app: FastAPI, api: AsyncClient) -> Company:
    """A company with three levels of reminders and one customer, C1."""
    made = Company(app, api)
    await made.rules()
    await made.customer()
    return made
