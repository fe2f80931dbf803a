"""The portfolio as gauges: right sums, few series, nothing left over."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from httpx import AsyncClient
from prometheus_client import REGISTRY
from sqlalchemy import text

from app.domains.limits.jobs import escalate_requests
from app.domains.monitoring import service as monitoring
from app.domains.monitoring.core.portfolio import PortfolioPart
from app.domains.monitoring.jobs import look_at_desks, measure_portfolio
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.support.api import MONDAY
from tests.support.business import check, open_account

TODAY = MONDAY.date()


async def parts(transactions: Transactions) -> dict[tuple[str, str, str], PortfolioPart]:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return {part.key: part for part in await monitoring.portfolio(tx)}


async def execute(transactions: Transactions, statement: str, **values: object) -> None:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await tx.session.execute(text(statement), values)


def series(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"headroom_{name}", labels)


class TestPortfolio:
    async def test_sums_up_by_grade_and_currency(self, transactions: Transactions, api: AsyncClient) -> None:
        for number, (limit, currency) in enumerate((("1000.00", "CNY"), ("500.00", "CNY"), ("90000", "JPY"))):
            await open_account(transactions, f"C-{number}", limit=limit, currency=currency)
        await api.post("/v1/credit-checks", json=check("C-0", "O-1", "400"))
        await execute(transactions, "update accounts set grade = 'B', overdue_amount = 30 where customer_id = 'C-1'")
        found = await parts(transactions)
        assert found["main", "none", "CNY"].exposure == Decimal(400)
        assert found["main", "none", "CNY"].headroom == Decimal(600)
        assert found["main", "B", "CNY"].overdue == Decimal(30)
        assert found["main", "none", "JPY"].limit == Decimal(90000)
        assert {key: part.accounts for key, part in found.items()} == dict.fromkeys(found, 1)

    async def test_counts_a_limit_only_while_it_is_in_force(self, transactions: Transactions) -> None:
        await open_account(transactions, "C-1", limit="1000.00")
        await execute(transactions, "update accounts set base_until = :day", day=TODAY)
        assert (await parts(transactions))["main", "none", "CNY"].limit == Decimal(1000)
        await execute(transactions, "update accounts set base_until = :day", day=TODAY - timedelta(days=1))
        assert (await parts(transactions))["main", "none", "CNY"].limit == 0

    async def test_takes_a_temporary_limit_inside_its_window(self, transactions: Transactions) -> None:
        await open_account(transactions, "C-1", limit="1000.00")
        window = {"first": TODAY, "last": TODAY}
        temporary = "temporary_amount = 1500, temporary_from = :first, temporary_until = :last"
        await execute(transactions, f"update accounts set temporary_kind = 'granted', {temporary}", **window)
        assert (await parts(transactions))["main", "none", "CNY"].limit == Decimal(1500)
        await execute(transactions, "update accounts set temporary_kind = 'none'")
        assert (await parts(transactions))["main", "none", "CNY"].limit == Decimal(1000)

    async def test_leaves_unlimited_accounts_out_of_limits(self, transactions: Transactions) -> None:
        await open_account(transactions, "C-1", limit="1000.00")
        await execute(transactions, "update accounts set base_kind = 'unlimited', base_amount = null, receivables = 7")
        found = (await parts(transactions))["main", "none", "CNY"]
        assert [found.exposure, found.limit, found.headroom, Decimal(found.exceeded)] == [
            Decimal(n) for n in (7, 0, 0, 0)
        ]

    async def test_counts_who_is_above_the_limit(self, transactions: Transactions) -> None:
        await open_account(transactions, "C-1", limit="1000.00")
        await execute(transactions, "update accounts set receivables = 1000")
        assert (await parts(transactions))["main", "none", "CNY"].exceeded == 0
        await execute(transactions, "update accounts set receivables = 1000.01")
        assert (await parts(transactions))["main", "none", "CNY"].exceeded == 1


class TestMeasurePortfolio:
    async def test_adds_no_series_for_ten_thousand_customers(self, transactions: Transactions) -> None:
        await open_account(transactions, "C-1")
        await measure_portfolio(Run(transactions, "test"))
        before = len(list(series_of("headroom_portfolio")))
        await execute(
            transactions,
            "insert into customers (customer_id, name, country, terms_kind, net_days, due_from, discount_percent, "
            "discount_days, version, created_at, updated_at) select 'N-' || n, 'New', 'CN', 'account', 30, 'invoice', "
            "0, 0, 1, 'epoch', 'epoch' from generate_series(1, 10000) n",
        )
        await execute(
            transactions,
            "insert into accounts (id, customer_id, segment, currency, opened_at, changed_at) "
            "select gen_random_uuid(), 'N-' || n, 'main', 'CNY', 'epoch', 'epoch' from generate_series(1, 10000) n",
        )
        await measure_portfolio(Run(transactions, "test"))
        assert len(list(series_of("headroom_portfolio"))) == before
        assert series("portfolio_accounts", segment="main", grade="none", currency="CNY") == 10_001


class TestLookAtDesks:
    async def test_shows_what_waits_and_for_how_long(
        self, transactions: Transactions, api: AsyncClient, clock: FrozenClock
    ) -> None:
        await open_account(transactions, "C-1", limit="100.00")
        for number in range(2):
            await api.post("/v1/credit-checks", json=check("C-1", f"O-{number}", "400"))
        clock.move(by=timedelta(minutes=5))
        await look_at_desks(Run(transactions, "test"))
        assert series("reviews_waiting", segment="main") == 2
        assert series("reviews_oldest_seconds", segment="main") == 300

    async def test_counts_no_review_whose_time_is_over(
        self, transactions: Transactions, api: AsyncClient, clock: FrozenClock
    ) -> None:
        await open_account(transactions, "C-1", limit="100.00")
        await api.post("/v1/credit-checks", json=check("C-1", "O-1", "400"))
        clock.move(by=timedelta(days=365))
        await look_at_desks(Run(transactions, "test"))
        assert series("reviews_waiting", segment="main") == 0

    async def test_shows_limit_requests_that_nobody_decides(
        self, transactions: Transactions, api: AsyncClient, clock: FrozenClock
    ) -> None:
        await open_account(transactions, "C-1")
        asked = {"customer_id": "C-1", "currency": "CNY", "justification": "more business"}
        for amount in ("50000", "60000"):
            (await api.post("/v1/limit-requests", json={**asked, "amount": amount})).raise_for_status()
            clock.move(by=timedelta(days=2))
            await escalate_requests(Run(transactions, "test"))
        await look_at_desks(Run(transactions, "test"))
        assert series("limit_requests_waiting", segment="main") == 2
        assert series("limit_requests_overdue", segment="main") == 1

    async def test_shows_a_segment_without_a_policy(self, transactions: Transactions) -> None:
        await look_at_desks(Run(transactions, "test"))
        assert (series("segments", policy="active"), series("segments", policy="missing")) == (1, 0)
        await execute(transactions, "delete from policy_versions")
        await look_at_desks(Run(transactions, "test"))
        assert (series("segments", policy="active"), series("segments", policy="missing")) == (0, 1)


def series_of(prefix: str) -> list[str]:
    return [str(s) for family in REGISTRY.collect() for s in family.samples if s.name.startswith(prefix)]
