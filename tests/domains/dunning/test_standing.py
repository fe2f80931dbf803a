"""Paying, crediting, cancelling, bouncing: level, hold and notices follow in the same transaction."""

from __future__ import annotations

from typing import Any

from tests.domains.dunning.world import LEVELS, TODAY, Company

TODAY_TEXT = TODAY.isoformat()


async def holds(company: Company) -> list[str]:
    account = await company.get("customers/C1/accounts/main")
    return [hold["source"] for hold in account["hold"]["sources"]]


class TestSettling:
    async def test_by_payment_settles_the_notice_and_lowers_the_level(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        await company.pays("100.00")
        assert ((await company.notice())["state"], await company.level()) == ("settled", 0)
        assert len(await company.events("dunning_notice_settled")) == 1

    async def test_in_part_leaves_the_level(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        await company.pays("99.99")
        assert ((await company.notice())["state"], await company.level()) == ("sent", 1)

    async def test_of_the_highest_item_lowers_the_level_to_that_of_the_others(self, company: Company) -> None:
        await company.owes("A", overdue=40)
        await company.owes("B", overdue=10)
        await company.reminds()
        assert await company.level() == 3
        await company.pays("100.00", allocations=[{"invoice_no": "A", "amount": "100.00"}])
        assert await company.level() == 1

    async def test_by_credit_note_does_the_same(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        note = {"invoice_no": "CN-1", "customer_id": "C1", "kind": "credit_note", "amount": "100.00"}
        await company.post(
            "invoices", {**note, "currency": "CNY", "issued_on": TODAY_TEXT, "related_invoice_no": "INV-1"}
        )
        assert ((await company.notice())["state"], await company.level()) == ("settled", 0)

    async def test_by_cancelling_does_the_same(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        await company.post("invoices/INV-1/cancel", {"reason": "wrong"})
        assert ((await company.notice())["state"], await company.level()) == ("settled", 0)

    async def test_by_another_of_the_group_does_the_same(self, company: Company) -> None:
        await company.customer("C2", parent_id="C1")
        await company.owes("B", customer_id="C2")
        await company.reminds()
        await company.pays("100.00", allocations=[{"invoice_no": "B", "amount": "100.00"}])
        assert await company.level("C2") == 0

    async def test_is_seen_by_the_next_order_check(self, company: Company) -> None:
        await company.post("customers/C1/accounts/main/limit", {"kind": "granted", "amount": "9000", "reason": "test"})
        await company.owes(overdue=40)
        await company.reminds()
        check = {"customer_id": "C1", "amount": "10.00", "currency": "CNY", "reserve": False}
        before = await company.post("credit-checks", {**check, "order_ref": "O-1"})
        codes = {reason["code"] for reason in before["reasons"]}
        assert {"account_on_hold", "dunning_level_reached"} <= codes
        await company.pays("100.00")
        after = await company.post("credit-checks", {**check, "order_ref": "O-2"})
        assert after["outcome"] == "approved"


class TestReviving:
    async def test_by_a_bounced_payment_brings_notice_and_level_back(self, company: Company) -> None:
        await company.owes(overdue=40)
        await company.reminds()
        await company.pays("100.00")
        assert (await holds(company), await company.level()) == ([], 0)
        await company.post("payments/PAY-1/reverse", {"reason": "bounced"})
        assert ((await company.notice())["state"], await company.level()) == ("sent", 3)
        assert await holds(company) == ["dunning"]

    async def test_reminds_of_no_level_a_second_time(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        await company.pays("100.00")
        await company.post("payments/PAY-1/reverse", {"reason": "bounced"})
        assert (await company.proposes())["notices"] == []

    async def test_by_a_cancelled_credit_note_is_refused_while_it_is_used(self, company: Company) -> None:
        """A credit note that has settled something can't be cancelled: nothing can come back that way."""
        await company.owes()
        await company.reminds()
        note = {"invoice_no": "CN-1", "customer_id": "C1", "kind": "credit_note", "amount": "40.00"}
        await company.post(
            "invoices", {**note, "currency": "CNY", "issued_on": TODAY_TEXT, "related_invoice_no": "INV-1"}
        )
        refused = await company.post("invoices/CN-1/cancel", {"reason": "wrong"}, status=409)
        assert refused["code"] == "invoice_allocated"


class TestHold:
    async def test_is_set_by_a_level_that_says_so_and_lifted_with_it(self, company: Company) -> None:
        await company.owes(overdue=36)
        await company.reminds()
        assert await holds(company) == ["dunning"]
        await company.pays("100.00")
        assert await holds(company) == []

    async def test_leaves_those_of_others(self, company: Company) -> None:
        await company.post("customers/C1/accounts/main/hold", {"kind": "soft", "reason": "by hand"})
        await company.owes(overdue=36)
        await company.reminds()
        await company.pays("100.00")
        assert await holds(company) == ["manual"]


class TestNoticeThatWaits:
    async def test_is_dropped_when_all_is_paid(self, company: Company) -> None:
        await company.owes()
        run = await company.proposes()
        await company.pays("100.00")
        await company.post(f"dunning-runs/{run['id']}/release")
        await company.works()
        notice = await company.notice()
        assert (notice["state"], notice["documents"]) == ("dropped", [])
        assert await company.level() == 0

    async def test_asks_for_what_is_left_when_a_part_is_paid(self, company: Company) -> None:
        await company.owes()
        await company.reminds_not_yet()
        await company.pays("30.00")
        assert (await company.notice())["totals"][0]["net_due"] == "70.00"

    async def test_that_is_dropped_leaves_the_level_for_a_bounced_payment(self, company: Company) -> None:
        await company.owes()
        await company.reminds_not_yet()
        await company.pays("100.00")
        await company.post("payments/PAY-1/reverse", {"reason": "bounced"})
        assert [n["level"] for n in (await company.proposes())["notices"]] == [1]

    async def test_is_dropped_by_a_stop(self, company: Company) -> None:
        await company.owes()
        await company.reminds_not_yet()
        await company.post("customers/C1/dunning-stops", {"until": "2026-03-09", "reason": "a visit"})
        assert ((await company.notice())["state"], (await company.notice())["drop_reason"]) == ("dropped", "stopped")

    async def test_is_dropped_by_a_promise(self, company: Company) -> None:
        await company.owes()
        await company.reminds_not_yet()
        promise = {"amount": "100.00", "currency": "CNY", "promised_on": "2026-03-09"}
        await company.post("customers/C1/promises", promise)
        assert (await company.notice())["drop_reason"] == "promised"

    async def test_asks_less_when_a_part_is_disputed(self, company: Company) -> None:
        await company.owes()
        await company.reminds_not_yet()
        await company.post("invoices/INV-1/disputes", {"amount": "40.00", "reason": "quality"})
        notice = await company.notice()
        assert (notice["totals"][0]["net_due"], notice["lines"][0]["disputed"]) == ("60.00", "40.00")


class TestDispute:
    async def test_of_a_part_does_not_stop_dunning_for_the_rest(self, company: Company) -> None:
        await company.owes()
        await company.post("invoices/INV-1/disputes", {"amount": "40.00", "reason": "quality"})
        [notice] = (await company.proposes())["notices"]
        assert notice["totals"][0]["net_due"] == "60.00"

    async def test_of_all_stops_dunning(self, company: Company) -> None:
        await company.owes()
        await company.post("invoices/INV-1/disputes", {"amount": "100.00", "reason": "quality"})
        assert (await company.proposes())["notices"] == []
        assert (await company.get("customers/C1/dunning"))["reason"] == "disputed"


class TestInstalments:
    async def test_are_reminded_of_each_by_its_own_due_day(self, company: Company) -> None:
        parts = [{"due_on": "2026-02-10", "amount": "60.00"}, {"due_on": "2026-04-10", "amount": "40.00"}]
        await company.post(
            "invoices",
            {
                "invoice_no": "P-1",
                "customer_id": "C1",
                "amount": "100.00",
                "currency": "CNY",
                "issued_on": "2026-01-10",
                "instalments": parts,
            },
        )
        run = await company.reminds()
        assert run["notices"][0]["totals"][0]["items"] == "60.00"
        assert [line["due_on"] for line in (await company.notice())["lines"]] == ["2026-02-10"]


class TestCredits:
    async def test_that_are_unallocated_are_taken_off(self, company: Company) -> None:
        await company.owes()
        await company.pays("30.00", allocate="none")
        [notice] = (await company.proposes())["notices"]
        total = notice["totals"][0]
        assert (total["items"], total["credits"], total["net_due"]) == ("100.00", "30.00", "70.00")

    async def test_that_cover_everything_keep_a_customer_out(self, company: Company) -> None:
        await company.owes()
        await company.pays("100.00", allocate="none")
        run = await company.proposes()
        assert (run["notices"], run["skipped"][0]["reason"]) == ([], "covered_by_credits")


class TestOutlook:
    async def test_tells_level_since_when_and_what_comes_next(self, company: Company) -> None:
        await company.owes(overdue=10, amount="123.45")
        await company.reminds()
        found = await company.get("customers/C1/dunning")
        assert (found["level"], found["overdue_amount"], found["oldest_due_on"]) == (1, "123.45", "2026-02-20")
        assert found["last_notice"]["level"] == 1
        assert found["next_step"] == {"on": "2026-03-12", "level": 2, "channel": "email"}
        assert found["reason"] == "level_reached"

    async def test_says_why_nothing_happens(self, company: Company) -> None:
        assert await _reason(company) == "not_due"
        await company.owes(overdue=10)
        assert await _reason(company) == "raised"
        await company.post("customers/C1/dunning-stops", {"kind": "legal_case", "reason": "in court"})
        found = await company.get("customers/C1/dunning")
        assert (found["reason"], found["next_step"]) == ("legal_case", None)
        assert found["stopped"][0]["reason"] == "in court"

    async def test_puts_the_next_step_off_to_a_business_day(self, company: Company) -> None:
        await company.rules(LEVELS, business_days="GB")
        await company.owes(overdue=-1)
        assert (await company.get("customers/C1/dunning"))["next_step"]["on"] == "2026-03-09"

    async def test_is_404_for_a_customer_without_an_account(self, company: Company) -> None:
        answer: Any = await company.api.get("/v1/customers/NOBODY/dunning")
        assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found")


async def _reason(company: Company) -> str:
    reason: str = (await company.get("customers/C1/dunning"))["reason"]
    return reason
