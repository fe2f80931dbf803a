"""The demo company: everything a credit department deals with, made through the use cases, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import orjson
import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.cli import demo
from app.cli.demo import company
from app.cli.demo.unfinished import place
from app.domains.exposure.core.commitments import OrderState
from app.domains.monitoring import service as monitoring
from app.infra.clock import SystemClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.settings import Settings
from app.support.journal import service as journal
from tests.support.api import BOOTSTRAP_KEY
from tests.support.business import open_account
from tests.support.cluster import Cluster, libpq


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo_settings(cluster: Cluster) -> AsyncIterator[Settings]:
    """A database with the demo company in it."""
    url = await cluster.create()
    settings = Settings(database_url=url, bootstrap_key=SecretStr(BOOTSTRAP_KEY))
    new, _ = await demo.introduce(settings)
    assert new
    yield settings
    await cluster.drop(url)


async def ask(settings: Settings, query: str) -> Sequence[Any]:
    """The first column of a query."""
    assert settings.database_url
    connection = await asyncpg.connect(libpq(settings.database_url))
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


class TestCompany:
    async def test_has_some_sixty_customers_of_five_countries(self, demo_settings: Settings) -> None:
        assert len(await ask(demo_settings, "select customer_id from customers")) == len(company.PARTIES) == 60
        assert len(await ask(demo_settings, "select distinct country from customers")) == 5

    async def test_trades_in_three_currencies(self, demo_settings: Settings) -> None:
        currencies = {"CNY", "EUR", "JPY"}
        assert set(await ask(demo_settings, "select distinct currency from accounts")) == currencies
        assert set(await ask(demo_settings, "select distinct currency from commitments")) == currencies
        assert await ask(demo_settings, "select 1 from commitments where currency <> account_currency")

    async def test_has_a_group_that_shares_a_limit_and_one_of_two_levels(self, demo_settings: Settings) -> None:
        assert await ask(
            demo_settings, "select count(*) from accounts group by group_id having group_id is not null"
        ) == [4]
        grandchildren = (
            "select 1 from customers c join customers p on p.customer_id = c.parent_id and p.parent_id is not null"
        )
        assert len(await ask(demo_settings, grandchildren)) == 2

    async def test_has_orders_in_every_state(self, demo_settings: Settings) -> None:
        assert set(await ask(demo_settings, "select distinct state from commitments")) == set(OrderState)

    async def test_was_told_yes_no_and_not_yet(self, demo_settings: Settings) -> None:
        outcomes = set(await ask(demo_settings, "select distinct outcome from credit_checks"))
        assert outcomes == {"approved", "referred", "declined"}
        reviews = set(await ask(demo_settings, "select distinct review from credit_checks"))
        assert {"open", "released"} <= reviews

    async def test_meets_every_reason_that_has_facts_today(self, demo_settings: Settings) -> None:
        assert {
            "limit_exceeded",
            "group_limit_exceeded",
            "no_limit",
            "limit_expired",
            "account_on_hold",
            "oldest_item_overdue",
            "utilisation_high",
        } <= set(await ask(demo_settings, "select distinct unnest(codes) from credit_checks"))

    async def test_owes_what_is_current_and_what_is_overdue(self, demo_settings: Settings) -> None:
        for condition in ("due_on < current_date", "due_on >= current_date", "status = 'partly_paid'"):
            assert await ask(demo_settings, f"select 1 from open_items where open_amount > 0 and {condition}")
        assert await ask(demo_settings, "select 1 from open_items where kind = 'credit_note'")
        assert await ask(demo_settings, "select 1 from payments where status = 'reversed'")

    async def test_has_limits_of_every_kind(self, demo_settings: Settings) -> None:
        kinds = set(await ask(demo_settings, "select distinct coalesce(base_kind, 'none') from accounts"))
        assert kinds == {"granted", "unlimited", "none"}
        assert await ask(demo_settings, "select 1 from accounts where base_amount = 0")
        assert await ask(demo_settings, "select 1 from accounts where temporary_kind is not null")
        assert await ask(demo_settings, "select 1 from accounts where base_until < current_date")

    async def test_knows_good_and_bad_customers(self, demo_settings: Settings) -> None:
        assert len(await ask(demo_settings, "select distinct grade from assessments")) >= 4
        assert await ask(demo_settings, "select 1 from accounts where cover_amount is not null")

    async def test_has_work_for_the_credit_department(self, demo_settings: Settings) -> None:
        assert await ask(demo_settings, "select status from limit_requests") == ["pending"]
        assert await ask(demo_settings, "select state from dunning_runs") == ["proposed"]
        assert await ask(demo_settings, "select 1 from dunning_notices")

    async def test_agrees_with_itself(self, demo_settings: Settings) -> None:
        assert demo_settings.database_url
        engine = make_engine(demo_settings.database_url, pool_size=2)
        transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions={})
        proofs = monitoring.prove_all(lambda: transactions.begin(actor=SYSTEM, request_id="test"))
        assert [drift async for proof in proofs for drift in proof.drifts] == []
        await engine.dispose()


class TestIntroduction:
    async def test_loads_the_company_once(self, demo_settings: Settings) -> None:
        written = "select count(*) from ledger"
        before = await ask(demo_settings, written)
        new, answer = await demo.introduce(demo_settings)
        assert (new, answer["outcome"]) == (False, "referred")
        assert await ask(demo_settings, written) == before

    async def test_shows_a_check_with_reasons_and_remedies(self, demo_settings: Settings) -> None:
        _, answer = await demo.introduce(demo_settings)
        objections = [reason["code"] for reason in answer["reasons"] if reason["effect"] == "refer"]
        assert objections == ["limit_exceeded", "oldest_item_overdue"]
        assert {"pay_overdue", "raise_limit"} <= {remedy["action"] for remedy in answer["remedies"]}
        assert answer["reservation"] is None

    async def test_leaves_the_customers_of_others_alone(self, app: Any, settings: Settings) -> None:
        await open_account(app.state.transactions, "SOMEBODY")
        assert await demo.introduce(settings) == (False, {})

    async def test_prints_no_key_that_the_operator_has_set(
        self, demo_settings: Settings, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = demo.curl(demo_settings, "$HEADROOM_BOOTSTRAP_KEY")
        assert BOOTSTRAP_KEY not in line
        assert '"Authorization: Bearer $HEADROOM_BOOTSTRAP_KEY"' in line


class TestPretty:
    @pytest.mark.parametrize("value", [{}, [], {"a": [1, {"b": "x" * 100}], "c": "汉字"}, [["x" * 60] * 3]])
    def test_is_the_same_json(self, value: Any) -> None:
        assert orjson.loads(demo.pretty(value)) == value

    def test_keeps_a_line_what_fits_on_one(self) -> None:
        assert demo.pretty({"a": [1, 2], "b": "x" * 100}).splitlines()[1] == '  "a": [1,2],'


class TestAnInterruptedLoad:
    async def test_empties_no_database_that_is_not_ours(self, cluster: Cluster) -> None:
        url = await cluster.create()
        settings = Settings(database_url=url, bootstrap_key=SecretStr(BOOTSTRAP_KEY))
        await demo.make_anew_if_unfinished(settings, ours=False)
        async with place(url) as here:
            with pytest.raises(ValueError, match="interrupted"):
                async with here.marked():
                    raise ValueError("interrupted")
        with pytest.raises(demo.DemoUnfinished):
            await demo.make_anew_if_unfinished(settings, ours=False)
        assert await ask(settings, "select to_regclass('customers') is not null") == [True]
        await demo.make_anew_if_unfinished(settings, ours=True)
        assert await ask(settings, "select to_regclass('customers') is not null") == [False]
        await cluster.drop(url)
