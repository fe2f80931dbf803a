"""Fixtures of the dunning tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.domains.dunning.adapters.carriers import Outbox, SmtpServer
from app.domains.dunning.adapters.stationery import Stationery
from tests.domains.dunning.world import Company
from tests.support.mailbox import Mailbox, listening


@pytest.fixture
async def company(app: FastAPI, api: AsyncClient) -> Company:
    """A company with three levels of reminders and one customer, C1."""
    made = Company(app, api)
    await made.rules()
    await made.customer()
    return made


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, SmtpServer]]:
    """A real mail server, and where it is."""
    with listening() as (box, port):
        yield box, SmtpServer("127.0.0.1", port, "credit@seller.example", security="none")


@pytest.fixture
def mailing(company: Company, mailbox: tuple[Mailbox, SmtpServer]) -> Mailbox:
    """The company with its mail server."""
    company.outbox = Outbox.of(Stationery(), smtp=mailbox[1])
    return mailbox[0]
