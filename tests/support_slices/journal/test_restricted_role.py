"""A server whose database role is not the owner: everything works, and nobody can bend the record."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from app.cli import main
from app.infra.clock import FrozenClock
from app.infra.jobs import Run, run_once
from app.infra.transaction import Transactions
from app.main import create_app
from app.settings import Settings
from app.worker import jobs
from tests.support.api import BOOTSTRAP_KEY, client_of
from tests.support.business import check
from tests.support.cluster import Cluster
from tests.support_slices.journal.test_blocks import verification
from tests.support_slices.journal.test_journal import emit, happened, seal


@dataclass(frozen=True)
class Restricted:
    """A server that runs as a role with no more than was granted."""

    app: FastAPI
    api: AsyncClient
    transactions: Transactions
    settings: Settings

    async def attempt(self, statement: str) -> None:
        """Runs a statement as the role."""
        async with self.app.state.engine.begin() as connection:
            await connection.execute(text(statement))


@pytest_asyncio.fixture(loop_scope="session")
async def restricted(
    cluster: Cluster, settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Restricted]:
    """The application on a migrated database, as a role made and granted as the documentation says."""
    role, password = f"headroom_{secrets.token_hex(4)}", secrets.token_hex(16)
    assert settings.database_url
    await _as_owner(settings.database_url, f"create role {role} login password '{password}'")
    monkeypatch.setenv("HEADROOM_DATABASE_URL", settings.database_url)
    monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)
    granted = await asyncio.to_thread(CliRunner().invoke, main, ["migrate", "--grant", role])
    assert granted.exit_code == 0, granted.output
    url = make_url(settings.database_url).set(username=role, password=password)
    own = settings.model_copy(
        update={"database_url": url.render_as_string(hide_password=False), "events_kept_days": 30}
    )
    app = create_app(own, clock=clock)
    async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
        yield Restricted(app, api, app.state.transactions, own)
    await _as_owner(settings.database_url, f"drop owned by {role}; drop role {role}")


async def _as_owner(url: str, statements: str) -> None:
    from tests.support_slices.journal.test_tampering import tamper

    await tamper(url, statements)


async def trade(api: AsyncClient) -> list[dict[str, Any]]:
    """A customer, its limit, an order, its shipment, invoice and payment."""
    about = {"customer_id": "C1", "currency": "CNY"}
    limit = {"kind": "granted", "amount": "1000", "reason": "test"}
    issued = {"issued_on": "2026-03-02", "order_ref": "O-1"}
    answers = [
        await api.put("/v1/customers/C1", json={"name": "Red Star", "country": "CN"}),
        await api.put("/v1/customers/C1/accounts/main", json={"currency": "CNY"}),
        await api.post("/v1/customers/C1/accounts/main/limit", json=limit),
        await api.post("/v1/credit-checks", json=check("C1", "O-1", "100"), headers={"Idempotency-Key": "1"}),
        await api.post("/v1/orders/O-1/shipments", json={"shipment_ref": "S-1", "amount": "100"}),
        await api.post("/v1/invoices", json={**about, **issued, "invoice_no": "I-1", "amount": "100"}),
        await api.post(
            "/v1/payments", json={**about, "payment_ref": "P-1", "amount": "40", "received_on": "2026-03-02"}
        ),
        await api.post("/v1/api-keys", json={"name": "desk", "kind": "service", "role": "order_desk"}),
    ]
    assert [answer.status_code for answer in answers if answer.status_code not in (200, 201)] == []
    return [answer.json() for answer in answers]


class TestRestrictedRole:
    async def test_serves_everything(self, restricted: Restricted) -> None:
        await trade(restricted.api)
        items: list[Any] = []
        while len(items) < 8:  # transactions of other tests on the same server may be in the way of some
            assert await seal(restricted.transactions)
            items = (await restricted.api.get("/v1/events")).json()["items"]
        assert (await verification(restricted.api))["intact"]

    async def test_runs_every_job(self, restricted: Restricted) -> None:
        await trade(restricted.api)
        for job in jobs(restricted.settings):
            assert await run_once(job, restricted.transactions), job.name

    @pytest.mark.parametrize("table", ["events", "event_seals", "journal_blocks"])
    @pytest.mark.parametrize(
        "how",
        ["update {0} set {1} = {1}", "delete from {0}", "truncate {0} cascade", "alter table {0} disable trigger all"],
    )
    async def test_bends_nothing_of_the_journal(self, restricted: Restricted, table: str, how: str) -> None:
        column = {"events": "at", "event_seals": "sealed_at", "journal_blocks": "closed_at"}[table]
        for maintaining in ("select 1", "select set_config('headroom.journal_maintenance', 'on', false)"):
            await restricted.attempt(maintaining)
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                await restricted.attempt(how.format(table, column))

    async def test_deletes_old_events_through_retention_only(self, restricted: Restricted, clock: FrozenClock) -> None:
        for number in range(3):
            await emit(restricted.transactions, happened(number))
            await seal(restricted.transactions)
        clock.move(by=timedelta(days=31))
        [retention] = [job for job in jobs(restricted.settings) if job.name == "delete_old_events"]
        await retention.run(Run(restricted.transactions, "test"))
        await seal(restricted.transactions)
        found = await verification(restricted.api)
        assert (found["intact"], found["first_block"], found["events"]) == (True, 3, 2)

    async def test_makes_no_tables_and_reads_where_the_schema_is(self, restricted: Restricted) -> None:
        assert (await restricted.api.get("/readyz")).status_code == 200
        with pytest.raises(DBAPIError, match="permission denied"):
            await restricted.attempt("create table mine ()")
        with pytest.raises(DBAPIError, match="permission denied"):
            await restricted.attempt("delete from alembic_version")


class TestGrant:
    async def test_refuses_a_role_that_is_not_there(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEADROOM_DATABASE_URL", database_url)
        monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)
        result = await asyncio.to_thread(CliRunner().invoke, main, ["migrate", "--grant", 'no"body'])
        assert result.exit_code == 1
        assert "database_role_unknown" in result.output
