"""`headroom verify`: what it says, and how it exits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app.cli import main
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.support.business import check, open_account
from tests.support.cluster import Cluster

Verify = Callable[..., Awaitable[Result]]


@pytest.fixture
def verify(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Runs `headroom verify` as a shell would."""
    monkeypatch.setenv("HEADROOM_DATABASE_URL", database_url)
    monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, ["verify", *arguments])

    return run


async def tamper(transactions: Transactions) -> None:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await tx.session.execute(text("update accounts set open_orders = open_orders + 1 where customer_id = 'C1'"))


class TestVerify:
    async def test_exits_with_0_where_everything_agrees(
        self, verify: Verify, transactions: Transactions, api: AsyncClient
    ) -> None:
        await open_account(transactions, "C1", group_limit="5000.00")
        await api.post("/v1/credit-checks", json=check("C1", "A", "10.00"))
        result = await verify()
        assert (result.exit_code, result.output) == (
            0,
            "proved accounts: 1, groups: 1; totals = ledger = documents\n",
        )

    async def test_exits_with_1_and_names_the_account(self, verify: Verify, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        await open_account(transactions, "C2")
        await tamper(transactions)
        result = await verify()
        assert result.exit_code == 1
        assert "C1 in main: open_orders (total): expected 0, found 1.0000" in result.output
        assert "C1 in main: ledger_sum (open_orders): expected 0, found 1.0000" in result.output
        assert "C2" not in result.output
        assert result.output.splitlines()[-1].startswith("proved accounts: 2, groups: 0; 1 fail ")

    async def test_says_the_same_in_json(self, verify: Verify, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        await tamper(transactions)
        result = await verify("--json")
        assert result.exit_code == 1
        *drifts, summary = (json.loads(line) for line in result.output.splitlines())
        assert {drift["kind"] for drift in drifts} == {"open_orders", "ledger_sum"}
        assert {drift["customer_id"] for drift in drifts} == {"C1"}
        assert summary == {"accounts": 1, "groups": 0, "failing": {"ledger_sum": 1, "open_orders": 1}}

    async def test_repairs_nothing(self, verify: Verify, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        await tamper(transactions)
        assert [(await verify()).exit_code for _ in range(2)] == [1, 1]


class TestWithoutADatabase:
    async def test_exits_with_2_where_none_answers(self, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEADROOM_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
        result = await verify()
        assert result.exit_code == 2
        assert "can't verify" in result.output

    async def test_exits_with_2_where_there_is_no_schema(
        self, verify: Verify, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = await cluster.create(template="template1")
        monkeypatch.setenv("HEADROOM_DATABASE_URL", url)
        result = await verify()
        await cluster.drop(url)
        assert result.exit_code == 2
        assert "run `headroom migrate`" in result.output

    async def test_exits_with_2_and_makes_none_where_there_is_none(
        self, verify: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("HEADROOM_DATABASE_URL")
        monkeypatch.setenv("HEADROOM_DATA_DIR", str(tmp_path / "none"))
        assert (await verify()).exit_code == 2
        assert not (tmp_path / "none").exists()
