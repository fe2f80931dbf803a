"""Fixtures of the dunning tests."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.domains.dunning.service import gathering
from app.domains.policies.core.compiled import PolicyShelf
from tests.domains.dunning.world import Company


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies of a test's own: another test has other documents under the same numbers."""
    monkeypatch.setattr(gathering, "_SHELF", PolicyShelf())


@pytest.fixture
async def company(app: FastAPI, api: AsyncClient) -> Company:
    """A company with three levels of reminders and one customer, C1."""
    made = Company(app, api)
    await made.rules()
    await made.customer()
    return made
