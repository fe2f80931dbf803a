"""Promises, stops, claims and calls."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.infra.clock import FrozenClock
from app.kernel.identity import ActorKind
from app.kernel.money import Money
from app.support.auth.core.scopes import Scope
from tests.domains.dunning.world import LEVELS, TODAY, Company
from tests.support.api import ApiAs

PROMISE = {"amount": "100.00", "currency": "CNY", "promised_on": "2026-03-09"}


async def promise(company: Company, **more: Any) -> Any:
    return await company.post("customers/C1/promises", {**PROMISE, **more}, status=201)


async def state(company: Company) -> str:
    found: str = (await company.get("customers/C1/promises"))["items"][0]["state"]
    return found


async def received(company: Company) -> list[str]:
    return [found["received"] for found in (await company.get("customers/C1/promises"))["items"]]


class TestPromise:
    async def test_puts_reminders_off_until_its_day_has_passed(self, company: Company, clock: FrozenClock) -> None:
        await company.owes()
        await promise(company)
        run = await company.proposes()
        assert (run["notices"], run["skipped"][0]["reason"]) == ([], "promised")
        clock.move(by=timedelta(days=8))
        assert len((await company.proposes())["notices"]) == 1

    async def test_is_kept_by_payments_that_reach_it(self, company: Company) -> None:
        await company.owes()
        await promise(company)
        await company.pays("60.00")
        assert await state(company) == "open"
        await company.pays("40.00", "PAY-2")
        assert await state(company) == "kept"
        assert len(await company.events("promise_kept")) == 1

    async def test_is_partly_kept_when_a_part_has_come(self, company: Company, clock: FrozenClock) -> None:
        await company.owes()
        await promise(company)
        await company.pays("60.00")
        clock.move(by=timedelta(days=8))
        await company.works()
        assert await state(company) == "partly_kept"

    async def test_is_broken_when_nothing_has_come_and_the_customer_is_called(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.owes()
        await promise(company)
        clock.move(by=timedelta(days=8))
        await company.works()
        assert await state(company) == "broken"
        [event] = await company.events("promise_broken")
        assert event["customer_id"] == "C1"
        assert (await company.get("customers/C1/payment-behaviour"))["broken_promises"] == 1
        assert [t["kind"] for t in (await company.get("collection-tasks"))["items"]] == ["promise_broken"]
        assert (await company.get("customers/C1/payment-behaviour"))["broken_promises"] == 1

    async def test_that_is_broken_brings_the_customer_back_into_dunning_at_once(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.rules([LEVELS[0], {**LEVELS[1], "min_days_since_previous": 90}])
        await company.owes(overdue=15)
        await company.reminds()
        await promise(company)
        clock.move(by=timedelta(days=8))
        await company.works()
        assert [n["level"] for n in (await company.proposes())["notices"]] == [2]

    async def test_counts_only_what_settles_the_invoices_it_names(self, company: Company) -> None:
        await company.owes("A")
        await company.owes("B")
        await promise(company, invoices=["B"])
        await company.pays("100.00", allocations=[{"invoice_no": "A", "amount": "100.00"}])
        assert await state(company) == "open"
        await company.pays("100.00", "PAY-2")
        assert await state(company) == "kept"

    async def test_is_open_again_when_the_payment_bounces(self, company: Company) -> None:
        await company.owes()
        await promise(company)
        await company.pays("100.00")
        await company.post("payments/PAY-1/reverse", {"reason": "bounced"})
        assert await state(company) == "open"

    async def test_that_names_invoices_counts_what_is_allocated_to_them_later(self, company: Company) -> None:
        await company.owes("A")
        await company.owes("B")
        await promise(company, invoices=["B"])
        await company.pays("150.00", allocate="none")
        assert await state(company) == "open"
        part = {"allocations": [{"invoice_no": "B", "amount": "60.00"}]}
        await company.post("payments/PAY-1/allocate", part)
        assert await received(company) == ["60.00"]
        rest = {"allocations": [{"invoice_no": "A", "amount": "50.00"}, {"invoice_no": "B", "amount": "40.00"}]}
        await company.post("payments/PAY-1/allocate", rest)
        assert await state(company) == "kept"
        await company.post("payments/PAY-1/reverse", {"reason": "bounced"})
        assert (await state(company), await received(company)) == ("open", ["0.00"])

    async def test_takes_money_that_counted_for_one_without_invoices_since_money_counts_once(
        self, company: Company
    ) -> None:
        await company.owes("A")
        await company.owes("B")
        await promise(company)
        await promise(company, invoices=["B"], promised_on="2026-03-10")
        await company.pays("120.00", allocate="none")
        assert sorted(await received(company)) == ["0.00", "100.00"]
        await company.post("payments/PAY-1/allocate", {"allocations": [{"invoice_no": "B", "amount": "100.00"}]})
        found = (await company.get("customers/C1/promises"))["items"]
        assert {tuple(p["invoices"]): (p["state"], p["received"]) for p in found} == {
            (): ("open", "20.00"),
            ("B",): ("kept", "100.00"),
        }

    async def test_is_not_broken_when_what_it_is_about_was_credited(self, company: Company, clock: FrozenClock) -> None:
        await company.owes("A")
        await promise(company, invoices=["A"])
        credit = {"invoice_no": "CN", "customer_id": "C1", "kind": "credit_note", "amount": "100.00"}
        await company.post(
            "invoices", {**credit, "currency": "CNY", "issued_on": TODAY.isoformat(), "related_invoice_no": "A"}
        )
        clock.move(by=timedelta(days=8))
        await company.works()
        assert await state(company) == "withdrawn"
        assert await company.events("promise_broken") == []

    async def test_can_be_withdrawn(self, company: Company) -> None:
        await company.owes()
        made = await promise(company)
        await company.post(f"promises/{made['id']}/withdraw")
        assert len((await company.proposes())["notices"]) == 1
        assert (await company.post(f"promises/{made['id']}/withdraw", status=409))["code"] == "promise_ended"

    async def test_is_refused_for_days_gone_and_for_invoices_of_others(self, company: Company) -> None:
        past = await company.post("customers/C1/promises", {**PROMISE, "promised_on": "2026-03-01"}, status=422)
        assert past["code"] == "promise_in_past"
        alien = await company.post("customers/C1/promises", {**PROMISE, "invoices": ["X"]}, status=422)
        assert (alien["code"], alien["errors"][0]["pointer"]) == ("promise_contradictory", "/invoices/0")


class TestStop:
    async def test_has_a_last_day_unless_it_is_a_legal_case(self, company: Company) -> None:
        refused = await company.post("customers/C1/dunning-stops", {"reason": "x"}, status=422)
        assert refused["code"] == "stop_without_end"
        await company.post("customers/C1/dunning-stops", {"reason": "x", "kind": "legal_case"}, status=201)

    async def test_can_be_lifted_before_its_day(self, company: Company) -> None:
        await company.owes()
        stop = await company.post("customers/C1/dunning-stops", {"until": "2026-04-01", "reason": "x"})
        assert (await company.proposes())["notices"] == []
        lifted = await company.post(f"dunning-stops/{stop['id']}/lift", {"reason": "y"})
        assert lifted["lift_reason"] == "y"
        assert len((await company.proposes())["notices"]) == 1
        again = await company.post(f"dunning-stops/{stop['id']}/lift", {"reason": "y"}, status=409)
        assert again["code"] == "dunning_stop_lifted"

    async def test_in_the_past_is_refused(self, company: Company) -> None:
        refused = await company.post("customers/C1/dunning-stops", {"until": "2026-03-01", "reason": "x"}, status=422)
        assert refused["code"] == "stop_in_past"


CHARGING: list[dict[str, Any]] = [
    {**LEVELS[0], "fees": [{"currency": "CNY", "amount": "10"}], "interest": "agreed", "interest_percent": "10"},
    {**LEVELS[1], "fees": [{"currency": "CNY", "amount": "20"}], "interest": "agreed", "interest_percent": "10"},
]


async def claims(company: Company) -> dict[str, Any]:
    return {claim["kind"]: claim for claim in (await company.get("customers/C1/dunning-claims"))["items"]}


class TestClaims:
    async def test_are_shown_apart_with_the_rates_used(self, company: Company) -> None:
        """100 overdue 15 days at 10 % a year and fee 10: interest 0.41, total 110.41."""
        await company.rules(CHARGING)
        await company.owes(overdue=15)
        await company.reminds()
        notice = await company.notice()
        total = notice["totals"][0]
        assert (total["items"], total["interest"], total["fee"], total["net_due"]) == (
            *("100.00", "0.41", "10.00", "110.41"),
        )
        assert [(rate["reference"], rate["percent"]) for rate in notice["rates"]] == [("agreed", "10")]
        found = await claims(company)
        assert {kind: claim["amount"] for kind, claim in found.items()} == {"fee": "10.00", "interest": "0.41"}

    async def test_bear_no_fee_and_no_interest_and_no_day_bears_it_twice(
        self, company: Company, clock: FrozenClock
    ) -> None:
        await company.rules(CHARGING)
        await company.owes(overdue=10)
        await company.reminds()
        clock.move(by=timedelta(days=10))
        await company.reminds()
        total = (await company.notice())["totals"][0]
        assert (total["items"], total["interest"], total["fee"], total["earlier_claims"]) == (
            *("100.00", "0.27", "20.00", "10.27"),
        )
        items = (await company.get("customers/C1/dunning-claims"))["items"]
        spans = sorted((i["accrued_from"], i["accrued_until"]) for i in items if i["kind"] == "interest")
        assert spans == [("2026-02-21", "2026-03-02"), ("2026-03-03", "2026-03-12")]

    async def test_of_a_notice_that_was_dropped_are_none(self, company: Company) -> None:
        await company.rules(CHARGING)
        await company.owes()
        run = await company.proposes()
        await company.post(f"dunning-notices/{run['notices'][0]['id']}/drop", {"reason": "x"})
        assert await claims(company) == {}

    async def test_stay_owed_after_the_principal_is_paid(self, company: Company) -> None:
        await company.rules(CHARGING)
        await company.owes()
        await company.reminds()
        await company.pays("100.00")
        assert {claim["state"] for claim in (await claims(company)).values()} == {"open"}

    async def test_count_as_exposure_only_where_the_policy_books_them(self, company: Company) -> None:
        await company.rules(CHARGING)
        await company.owes(overdue=15)
        await company.reminds()
        assert await _receivables(company) == "100.00"
        await company.post(f"dunning-claims/{(await claims(company))['fee']['id']}/book")
        assert await _receivables(company) == "110.00"

    async def test_are_booked_as_debit_notes_by_policy_and_paid_after_the_principal(self, company: Company) -> None:
        await company.rules(CHARGING, claims_are_exposure=True)
        await company.owes(overdue=15)
        await company.reminds()
        assert await _receivables(company) == "110.41"
        await company.pays("105.00")
        assert (await company.get("invoices/INV-1"))["status"] == "paid"
        assert (await company.proposes())["notices"] == []

    async def test_are_paid_before_the_principal_where_the_policy_says_so(self, company: Company) -> None:
        await company.rules(CHARGING, claims_are_exposure=True, claims_order="before_principal")
        await company.owes(overdue=15)
        await company.reminds()
        await company.pays("100.00")
        assert (await company.get("invoices/INV-1"))["open_amount"] == "10.41"

    async def test_that_can_t_be_booked_for_want_of_a_rate_stay_open_and_nothing_is_sent_twice(
        self, company: Company, clock: FrozenClock
    ) -> None:
        fees = [{"currency": "EUR", "amount": "5"}]
        await company.rules([{**LEVELS[0], "fees": fees}], claims_are_exposure=True)
        await company.owes("E", currency="EUR", fx_rate="8")
        await company.reminds()
        clock.move(by=timedelta(minutes=11))
        await company.works()
        assert len((await company.notice())["documents"]) == 1
        fee = (await claims(company))["fee"]
        assert (fee["state"], fee["currency"], fee["amount"]) == ("open", "EUR", "5.00")
        await company.put("fx-rates/2026-03-01", {"base": "EUR", "rates": {"CNY": "8"}})
        booked = await company.post(f"dunning-claims/{fee['id']}/book")
        assert (booked["state"], await _receivables(company)) == ("booked", "840.00")

    async def test_that_are_booked_are_not_reminded_of_as_items(self, company: Company, clock: FrozenClock) -> None:
        await company.rules(CHARGING, claims_are_exposure=True)
        await company.owes(overdue=15)
        await company.reminds()
        clock.move(by=timedelta(days=40))
        await company.reminds()
        notice = await company.notice()
        assert [line["invoice_no"] for line in notice["lines"]] == ["INV-1"]
        assert notice["totals"][0]["earlier_claims"] == "10.41"

    async def test_are_waived_by_a_person_up_to_their_authority(self, company: Company, api_as: ApiAs) -> None:
        await company.rules(CHARGING)
        await company.owes()
        await company.reminds()
        path = f"/v1/dunning-claims/{(await claims(company))['fee']['id']}/waive"
        service = await api_as(Scope.DUNNING_WRITE, kind=ActorKind.SERVICE)
        clerk = await api_as(Scope.DUNNING_WRITE, authority=Money(Decimal("9.99"), "CNY"))
        manager = await api_as(Scope.DUNNING_WRITE, authority=Money(Decimal("10.00"), "CNY"))
        for client in (service, clerk):
            refused = await client.post(path, json={"reason": "good customer"})
            assert (refused.status_code, refused.json()["code"]) == (403, "waiver_beyond_authority")
        assert (await manager.post(path, json={"reason": "good customer"})).json()["state"] == "waived"
        assert (await manager.post(path, json={"reason": "again"})).json()["code"] == "dunning_claim_settled"

    async def test_that_are_booked_are_credited_when_they_are_waived(self, company: Company) -> None:
        await company.rules(CHARGING, claims_are_exposure=True)
        await company.owes(overdue=15)
        await company.reminds()
        await company.post(f"dunning-claims/{(await claims(company))['fee']['id']}/waive", {"reason": "good customer"})
        assert await _receivables(company) == "100.41"

    async def test_include_the_fixed_sum_of_the_law_once_an_item(self, company: Company, clock: FrozenClock) -> None:
        law = {"compensation": True, "jurisdiction": "DE", "interest": "statutory"}
        await company.rules([{**level, **law} for level in LEVELS])
        await company.put("fx-rates/2025-12-01", {"base": "EUR", "rates": {"CNY": "8"}})
        await company.owes("E", overdue=20, amount="1000.00", currency="EUR")
        await company.reminds()
        total = (await company.notice())["totals"][0]
        assert (total["currency"], total["compensation"]) == ("EUR", "40.00")
        clock.move(by=timedelta(days=20))
        await company.reminds()
        assert (await company.notice())["totals"][0]["compensation"] == "0.00"


class TestCollectionTasks:
    async def test_are_ranked_by_amount_risk_and_time_since_the_last_contact(self, company: Company) -> None:
        await company.rules([{**LEVELS[0], "channel": "call"}])
        for customer, amount in (("D1", "10.00"), ("D2", "500.00"), ("D3", "100.00")):
            await company.customer(customer)
            await company.owes(f"INV-{customer}", customer_id=customer, amount=amount)
        await company.reminds()
        tasks = (await company.get("collection-tasks"))["items"]
        assert [task["customer_id"] for task in tasks] == ["D2", "D3", "D1"]
        first = await company.get("collection-tasks", limit=2)
        rest = await company.get("collection-tasks", limit=2, cursor=first["next_cursor"])
        assert [task["customer_id"] for task in rest["items"]] == ["D1"]

    async def test_are_completed_with_outcome_note_promise_and_next_day(self, company: Company) -> None:
        await company.rules([{**LEVELS[0], "channel": "call"}])
        await company.owes()
        await company.reminds()
        [task] = (await company.get("collection-tasks"))["items"]
        body = {"outcome": "promised", "note": "on Monday", "next_on": "2026-03-10", "promise": PROMISE}
        done = await company.post(f"collection-tasks/{task['id']}/complete", body)
        assert (done["state"], done["outcome"], done["note"]) == ("done", "promised", "on Monday")
        assert done["promise_id"] == (await company.get("customers/C1/promises"))["items"][0]["id"]
        [again] = (await company.get("collection-tasks"))["items"]
        assert (again["kind"], again["due_on"], again["last_contact_on"]) == (
            *("follow_up", "2026-03-10", TODAY.isoformat()),
        )
        assert (await company.get("collection-tasks", due=True))["items"] == []
        refused = await company.post(f"collection-tasks/{task['id']}/complete", {"outcome": "reached"}, status=409)
        assert refused["code"] == "collection_task_done"

    async def test_end_when_nothing_is_owed_any_more(self, company: Company) -> None:
        await company.rules([{**LEVELS[0], "channel": "call"}])
        await company.owes()
        await company.reminds()
        await company.pays("100.00")
        assert (await company.get("collection-tasks"))["items"] == []


async def _receivables(company: Company) -> str:
    amount: str = (await company.get("customers/C1/accounts/main"))["exposure"]["receivables"]
    return amount
