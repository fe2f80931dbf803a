"""Runs: proposed, looked at, released, delivered; nobody is reminded twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.domains.dunning import jobs
from app.domains.dunning.service import proposing
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.support.auth.core.scopes import Scope
from tests.domains.dunning.world import LEVELS, TODAY, Company

_SCOPES = (Scope.DUNNING_WRITE,)


class TestRun:
    async def test_proposes_notices_that_are_sent_once_released(self, company: Company) -> None:
        await company.owes()
        run = await company.proposes()
        assert (run["state"], run["complete"], run["notice_count"]) == ("proposed", True, 1)
        [notice] = run["notices"]
        assert (notice["customer_id"], notice["level"], notice["state"]) == ("C1", 1, "proposed")
        assert notice["totals"][0]["net_due"] == "100.00"
        assert await company.level() == 0
        await company.post(f"dunning-runs/{run['id']}/release")
        await company.works()
        assert (await company.notice())["state"] == "sent"
        assert await company.level() == 1
        assert (await company.get(f"dunning-runs/{run['id']}"))["state"] == "done"

    async def test_says_why_each_customer_is_out(self, company: Company) -> None:
        await company.owes(overdue=2)
        await company.customer("C2")
        await company.owes("INV-2", customer_id="C2")
        await company.post("customers/C2/dunning-stops", {"until": "2026-03-05", "reason": "a visit"})
        run = await company.proposes()
        assert run["notices"] == []
        assert {skip["customer_id"]: (skip["reason"], skip["until"]) for skip in run["skipped"]} == {
            "C1": ("before_first_level", None),
            "C2": ("stopped", "2026-03-05"),
        }
        assert (await company.get(f"dunning-runs/{run['id']}/skipped"))["items"] == run["skipped"][::-1]

    async def test_of_the_same_day_again_proposes_nothing_twice(self, company: Company) -> None:
        await company.owes()
        await company.proposes()
        again = await company.proposes()
        assert (again["notices"], again["skipped"][0]["reason"]) == ([], "notice_pending")
        await company.post(f"dunning-runs/{again['id']}/withdraw", {"reason": "for a test"})

    async def test_repeated_after_delivery_reminds_nobody(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        again = await company.reminds()
        assert (again["notices"], again["skipped"][0]["reason"]) == ([], "level_reached")
        assert len((await company.get("dunning-notices"))["items"]) == 1

    async def test_goes_straight_to_today_s_level_after_days_that_were_missed(self, company: Company) -> None:
        await company.owes(overdue=40)
        assert [n["level"] for n in (await company.proposes())["notices"]] == [3]

    async def test_for_past_days_judges_by_those_days(self, company: Company) -> None:
        await company.owes(overdue=40)
        for day, level in ((34, 1), (20, 2), (1, 3)):
            run = await company.reminds(run_on=(TODAY - timedelta(days=day)).isoformat())
            assert [notice["level"] for notice in run["notices"]] == [level]

    async def test_for_a_day_to_come_is_refused_unless_it_is_dry(self, company: Company) -> None:
        await company.owes(overdue=2)
        tomorrow = (TODAY + timedelta(days=3)).isoformat()
        refused = await company.post("dunning-runs", {"run_on": tomorrow}, status=422)
        assert refused["code"] == "run_in_future"
        dry = await company.proposes(run_on=tomorrow, dry_run=True)
        assert (dry["id"], dry["dry_run"], [n["level"] for n in dry["notices"]]) == (None, True, [1])

    async def test_that_is_dry_writes_nothing(self, company: Company) -> None:
        await company.owes()
        await company.proposes(dry_run=True)
        assert (await company.get("dunning-runs"))["items"] == []
        assert (await company.get("dunning-notices"))["items"] == []

    async def test_is_released_once(self, company: Company) -> None:
        run = await company.proposes()
        await company.post(f"dunning-runs/{run['id']}/release")
        refused = await company.post(f"dunning-runs/{run['id']}/release", status=409)
        assert refused["code"] == "dunning_run_not_proposed"

    async def test_that_is_withdrawn_leaves_everything_to_the_next(self, company: Company) -> None:
        await company.owes()
        run = await company.proposes()
        gone = await company.post(f"dunning-runs/{run['id']}/withdraw", {"reason": "too early"})
        assert (gone["state"], gone["notices"][0]["state"]) == ("withdrawn", "dropped")
        assert len((await company.proposes())["notices"]) == 1

    async def test_of_two_at_once_only_one_has_each_customer(self, company: Company) -> None:
        for number in range(4):
            await company.customer(f"D{number}")
            await company.owes(f"INV-D{number}", customer_id=f"D{number}")
        runs = await asyncio.gather(*(company.proposes() for _ in range(3)))
        reminded = [notice["customer_id"] for run in runs for notice in run["notices"]]
        assert sorted(reminded) == ["D0", "D1", "D2", "D3"]

    async def test_shows_only_segments_that_the_caller_may_see(self, company: Company, api_as: object) -> None:
        await company.put("segments/eu", {"name": "Europe", "currency": "EUR"})
        run = await company.proposes(segment="eu")
        client = await api_as(*_SCOPES, segments=["main"])  # type: ignore[operator]
        assert (await client.get(f"/v1/dunning-runs/{run['id']}")).status_code == 404
        assert (await client.post("/v1/dunning-runs", json={"segment": "eu"})).status_code == 404


class TestLargeSegment:
    async def test_is_gone_through_by_jobs_page_by_page(
        self, company: Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proposing, "PAGE", 2)
        monkeypatch.setattr(proposing.look, "__kwdefaults__", {"limit": 2})
        for number in range(7):
            await company.customer(f"D{number}")
            await company.owes(f"INV-D{number}", customer_id=f"D{number}")
        run = await company.proposes()
        assert (run["complete"], run["notice_count"]) == (False, 4)
        refused = await company.post(f"dunning-runs/{run['id']}/release", status=409)
        assert refused["code"] == "dunning_run_incomplete"
        await jobs.go_on_with_runs(Run(company.transactions, "job:test"))
        done = await company.get(f"dunning-runs/{run['id']}")
        assert (done["complete"], done["notice_count"], done["state"]) == (True, 7, "proposed")


class TestSchedule:
    async def test_begins_a_run_on_its_day_once_and_releases_it(self, company: Company, clock: FrozenClock) -> None:
        await company.rules(LEVELS, schedule={"weekdays": ["monday"], "hour": 9, "release": True})
        await company.owes()
        await company.works()
        await company.works()
        [run] = (await company.get("dunning-runs"))["items"]
        assert (run["origin"], run["state"], run["notice_count"]) == ("schedule", "done", 1)
        assert await company.level() == 1
        clock.move(by=timedelta(days=1))
        await company.works()
        assert len((await company.get("dunning-runs"))["items"]) == 1

    async def test_waits_for_its_hour(self, company: Company) -> None:
        await company.rules(LEVELS, schedule={"weekdays": ["monday"], "hour": 10})
        await company.works()
        assert (await company.get("dunning-runs"))["items"] == []

    async def test_leaves_the_release_to_a_person_where_the_policy_says_so(self, company: Company) -> None:
        await company.rules(LEVELS, schedule={"release": False})
        await company.owes()
        await company.works()
        [run] = (await company.get("dunning-runs"))["items"]
        assert run["state"] == "proposed"

    async def test_of_two_schedulers_only_one_begins(self, company: Company) -> None:
        await company.rules(LEVELS, schedule={"hour": 0})
        await company.owes()
        run = Run(company.transactions, "job:test")
        await asyncio.gather(*(jobs.begin_scheduled_runs(run) for _ in range(4)))
        assert len((await company.get("dunning-runs"))["items"]) == 1


class TestNotices:
    async def test_can_be_dropped_and_come_back_with_the_next_run(self, company: Company) -> None:
        await company.owes()
        notice = (await company.proposes())["notices"][0]
        dropped = await company.post(f"dunning-notices/{notice['id']}/drop", {"reason": "we spoke"})
        assert (dropped["state"], dropped["drop_reason"]) == ("dropped", "we spoke")
        assert [n["level"] for n in (await company.proposes())["notices"]] == [1]
        again = await company.post(f"dunning-notices/{notice['id']}/drop", {"reason": "again"}, status=409)
        assert again["code"] == "dunning_notice_not_pending"

    async def test_can_go_by_another_channel_and_with_a_few_words(self, company: Company) -> None:
        await company.owes()
        run = await company.proposes()
        path = f"dunning-notices/{run['notices'][0]['id']}/change"
        changed = await company.post(path, {"channels": ["call", "letter"], "note": "As agreed with Mr Li."})
        assert (changed["channels"], changed["note"]) == (["call", "letter"], "As agreed with Mr Li.")
        refused = await company.post(path, {"channels": ["email"]}, status=409)
        assert refused["code"] == "channel_unusable"

    async def test_show_every_item_with_its_level(self, company: Company) -> None:
        await company.owes("A", overdue=21)
        await company.owes("B", overdue=6)
        await company.owes("C", overdue=1)
        await company.reminds()
        notice = await company.notice()
        assert {line["invoice_no"]: (line["level"], line["raised"]) for line in notice["lines"]} == {
            "A": (2, True),
            "B": (1, True),
            "C": (None, False),
        }


class TestDays:
    async def test_before_the_due_day_a_friendly_reminder_costs_nothing(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.rules(LEVELS, reminder={"days_before_due": 3, "channel": "letter"})
        await company.owes(overdue=-2)
        await company.owes("LATER", overdue=-20)
        await company.reminds()
        notice = await company.notice()
        assert (notice["level"], notice["state"], await company.level()) == (0, "sent", 0)
        assert [line["invoice_no"] for line in notice["lines"]] == ["INV-1"]
        clock.move(by=timedelta(days=8))
        assert [found["level"] for found in (await company.proposes())["notices"]] == [1]

    async def test_of_a_quiet_period_remind_nobody(self, company: Company) -> None:
        await company.rules(LEVELS, quiet_periods=[{"first": "03-01", "last": "03-10"}])
        await company.owes()
        assert (await company.proposes())["skipped"][0]["reason"] == "quiet_period"
        assert (await company.get("customers/C1/dunning"))["next_step"]["on"] == "2026-03-11"

    async def test_that_are_no_business_days_of_the_country_remind_nobody(self, company: Company) -> None:
        await company.rules(LEVELS, business_days="CN")
        await company.owes()
        assert (await company.proposes(run_on="2026-03-01"))["skipped"][0]["reason"] == "not_a_business_day"
