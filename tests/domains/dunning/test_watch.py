"""What operations see of dunning, and what goes after its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from app.domains.dunning import jobs
from app.domains.dunning.adapters.carriers import Outbox, SmtpServer
from app.domains.dunning.adapters.stationery import Stationery
from app.domains.dunning.service import watch
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from tests.domains.dunning.world import LEVELS, MAIL, Company

REFERENCES = ("DE_BASE", "ECB_MRO", "BANK_RATE")


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"headroom_{name}", labels) or 0.0


async def look(company: Company) -> None:
    await jobs.look_at_dunning(Run(company.transactions, "test"))


class TestLook:
    async def test_shows_what_waits_and_for_how_long(self, company: Company, clock: FrozenClock) -> None:
        company.outbox = Outbox.of(Stationery(), smtp=SmtpServer("127.0.0.1", 1, "a@b.example", security="none"))
        await company.customer(contacts=MAIL)
        await company.owes()
        run = await company.proposes()
        await look(company)
        assert shown("dunning_runs", segment="main", state="proposed") == 1
        assert shown("dunning_waiting", segment="main") == 0
        await company.post(f"dunning-runs/{run['id']}/release")
        failed = shown("dunning_deliveries_total", level="1", channel="email", outcome="failed")
        await company.works()
        assert shown("dunning_deliveries_total", level="1", channel="email", outcome="failed") == failed + 1
        clock.move(by=timedelta(minutes=90))
        await look(company)
        assert shown("dunning_waiting", segment="main") == 1
        assert shown("dunning_oldest_seconds", segment="main") == 5400

    async def test_counts_what_is_sent_by_level_and_channel_and_falls_to_nothing(self, company: Company) -> None:
        sent = shown("dunning_deliveries_total", level="2", channel="letter", outcome="sent")
        await company.owes(overdue=25)
        await company.reminds()
        await look(company)
        assert shown("dunning_deliveries_total", level="2", channel="letter", outcome="sent") == sent + 1
        assert (shown("dunning_waiting", segment="main"), shown("dunning_oldest_seconds", segment="main")) == (0, 0)

    async def test_shows_what_came_back_as_waiting_and_what_reached_nobody(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.rules([{**LEVELS[0], "channel": "letter", "fallbacks": ["call"]}])
        await company.owes()
        await company.reminds()
        notice = await company.notice()
        await company.post(f"dunning-notices/{notice['id']}/bounced", {"reason": "moved"})
        clock.move(by=timedelta(seconds=30))
        await look(company)
        assert shown("dunning_oldest_seconds", segment="main") == 30
        await company.works()
        await company.post(f"dunning-notices/{notice['id']}/bounced", {"reason": "no such number"})
        await look(company)
        assert shown("dunning_waiting", segment="main") == 0

    async def test_counts_customers_whom_no_channel_reaches(self, company: Company) -> None:
        await company.rules([{**LEVELS[0], "channel": "webhook", "fallbacks": []}])
        await company.owes()
        await company.reminds()
        await look(company)
        assert shown("dunning_undelivered", segment="main") == 1

    async def test_names_a_rate_that_a_policy_asks_for_and_nobody_has_entered(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.rules([{**LEVELS[0], "interest": "statutory", "jurisdiction": "DE"}])
        await look(company)
        assert [shown("reference_rates_missing", reference=name) for name in REFERENCES] == [0, 0, 0]
        clock.move(by=timedelta(days=306))
        await look(company)
        assert [shown("reference_rates_missing", reference=name) for name in REFERENCES] == [1, 0, 0]
        await company.put("statutory-rates/DE_BASE/2027-01-01", {"percent": "1.52"})
        await look(company)
        assert [shown("reference_rates_missing", reference=name) for name in REFERENCES] == [0, 0, 0]

    async def test_counts_promises_that_are_broken(self, company: Company, clock: FrozenClock) -> None:
        broken = shown("promises_ended_total", outcome="broken")
        await company.owes()
        promise = {"amount": "100.00", "currency": "CNY", "promised_on": "2026-03-03"}
        await company.post("customers/C1/promises", promise)
        clock.move(by=timedelta(days=2))
        await company.works()
        assert shown("promises_ended_total", outcome="broken") == broken + 1


class TestRetention:
    async def test_forgets_why_old_runs_left_whom_out_and_keeps_their_counts(
        self, company: Company, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watch.delete_skips, "__kwdefaults__", {"batch": 1})
        for customer in ("D1", "D2"):
            await company.customer(customer)
            await company.owes(f"INV-{customer}", customer_id=customer, overdue=1)
        old = await company.proposes()
        clock.move(by=timedelta(days=31))
        await company.post("customers/D1/dunning-stops", {"until": "2026-12-31", "reason": "a visit"})
        await company.post("customers/D2/dunning-stops", {"until": "2026-12-31", "reason": "a visit"})
        young = await company.proposes()
        [job] = jobs.retention(timedelta(days=30))
        await job.run(Run(company.transactions, "test"))
        found = [await company.get(f"dunning-runs/{run['id']}") for run in (old, young)]
        assert [(len(run["skipped"]), run["skipped_count"]) for run in found] == [(0, 2), (2, 2)]
