"""Personal data of contacts: in one table and where people wrote it down, and after an erasure nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from httpx import Response

from app.domains.dunning import service as dunning
from app.domains.dunning.core.parcels import Carried, Parcel
from app.infra.clock import FrozenClock, SystemClock
from app.kernel.identity import SYSTEM
from app.settings import Settings
from tests.cli.test_serving import serving
from tests.proof.background import Background, in_background
from tests.proof.person import (
    CUSTOMER,
    MARKS,
    OTHER,
    PERSON,
    contact_of,
    deal_with,
    do_everything,
    erase,
    introduce,
    journal_of,
    pages_naming,
    release_reminder,
    remind,
    tables_naming,
    words_of,
)
from tests.proof.seeds import plant
from tests.support.mailbox import Mailbox, listening

WRITTEN_BY_PEOPLE: Final = {"collection_tasks", "dunning_notices", "payments", "idempotency_keys"}
"""Where colleagues and banks have put the person's name into a text."""


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """A real mail server."""
    with listening() as found:
        yield found


@pytest.fixture
def settings(settings: Settings, mailbox: tuple[Mailbox, int]) -> Settings:
    """Those of a company that sends mail."""
    return settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": mailbox[1], "smtp_security": "none"})


@pytest.fixture
def company(settings: Settings, clock: FrozenClock) -> Iterator[Background]:
    """A company in which a person is known at a customer that owes something."""
    with in_background(settings, clock) as company:
        introduce(company)
        company.put(f"/v1/customers/{CUSTOMER}/accounts/main", {"currency": "CNY"})
        yield company


class TestPersonalData:
    def test_is_in_one_table_and_in_what_was_sent_to_the_person(self, company: Background, settings: Settings) -> None:
        remind(company, settings, {})
        assert tables_naming(company) == {"contacts", "dunning_documents"}
        notice = company.get(f"/v1/dunning-notices?customer_id={CUSTOMER}&state=sent")["items"][0]
        [document] = company.get(f"/v1/dunning-notices/{notice['id']}")["documents"]
        assert (document["kept"], contact_of(company) in document["contact_ids"]) == (True, True)

    def test_is_unreadable_everywhere_after_an_erasure(
        self, company: Background, settings: Settings, mailbox: tuple[Mailbox, int], tmp_path: Path
    ) -> None:
        plant(company)
        introduce(company)
        do_everything(company, settings)
        deal_with(company, settings, mailbox[0])
        assert tables_naming(company) == {"contacts", "dunning_documents", *WRITTEN_BY_PEOPLE}
        shown = pages_naming(company)
        assert {"/v1/customers", "/v1/customers/{customer_id}/contacts", "/v1/payments"} <= shown
        assert any(path.endswith("/document") for path in shown)
        journal_of(company)
        contact_id = erase(company)
        told = journal_of(company)
        assert tables_naming(company) == set()
        assert pages_naming(company) == set()
        assert [mark for mark in MARKS if mark in told] == []
        assert contact_id in told
        assert company.get("/v1/journal/verification")["intact"]
        assert verified(settings)

    def test_of_a_former_contact_goes_with_them(self, company: Background, settings: Settings) -> None:
        remind(company, settings, {})
        introduce(company, {**PERSON, "role": "finance", "name": "Li Si", "email": PERSON["email"]})
        former = [each for each in contacts(company) if each["replaced_at"]]
        assert [each["name"] for each in former] == [PERSON["name"]]
        company.post(f"/v1/customers/{CUSTOMER}/contacts/{former[0]['id']}/erase", {"ground": "objection"})
        assert tables_naming(company, (PERSON["name"],)) == set()

    def test_of_whom_nobody_wrote_to_goes_with_the_contact(self, company: Background) -> None:
        introduce(company, OTHER)
        assert tables_naming(company) == set()

    def test_of_others_stays(self, company: Background, settings: Settings) -> None:
        remind(company, settings, {})
        erase(company)
        assert [contact["name"] for contact in contacts(company)] == ["Wang Fang"]
        assert tables_naming(company, ("Wang Fang",)) == {"contacts"}

    def test_is_erased_once_and_at_the_customer_that_was_named(self, company: Background) -> None:
        contact_id = contact_of(company)
        company.put("/v1/customers/C-1", {"name": "C-1", "country": "CN"})
        for customer, code in (("C-1", "contact_not_found"), ("NOBODY", "customer_not_found")):
            path = f"/v1/customers/{customer}/contacts/{contact_id}/erase"
            assert company.call("POST", path, json={"ground": "other"}).json()["code"] == code
        before = company.get(f"/v1/customers/{CUSTOMER}")["version"]
        erase(company)
        assert company.get(f"/v1/customers/{CUSTOMER}")["version"] == before + 1
        path = f"/v1/customers/{CUSTOMER}/contacts/{contact_id}/erase"
        again = company.call("POST", path, json={"ground": "other"})
        assert (again.status_code, again.json()["code"]) == (404, "contact_not_found")
        assert journal_of(company).count('"contact_erased"') == 1


class TestKeptAnswers:
    def test_that_name_the_person_are_forgotten_and_nothing_is_done_twice(self, company: Background) -> None:
        paid = {"customer_id": CUSTOMER, "amount": "5", "currency": "CNY", "received_on": "2026-03-02"}
        worded, plain = ({**paid, "payment_ref": ref} for ref in ("P-8", "P-9"))
        worded["remittance"] = PERSON["name"]
        for body in (worded, plain):
            assert pay(company, body).status_code == 201
        erase(company)
        refused, replayed = pay(company, worded), pay(company, plain)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotent_answer_erased")
        assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (201, "true")
        assert len(company.get(f"/v1/payments?customer_id={CUSTOMER}")["items"]) == 2
        other = company.call("POST", "/v1/payments", json=plain, headers={"Idempotency-Key": "P-8"})
        assert other.json()["code"] == "idempotency_key_reused"

    def test_to_a_repetition_without_a_key_say_what_is_left(self, company: Background) -> None:
        """The digest of the request knows the payment again although its text has gone."""
        paid = {"customer_id": CUSTOMER, "amount": "5", "currency": "CNY", "received_on": "2026-03-02"}
        worded = {**paid, "payment_ref": "P-8", "remittance": f"FROM {PERSON['name']}"}
        company.post("/v1/payments", worded)
        erase(company)
        again = company.call("POST", "/v1/payments", json=worded)
        assert (again.status_code, again.json()["remittance"]) == (200, "FROM [erased]")


class TestOnTheWire:
    def test_nothing_is_kept_of_who_is_erased_while_they_are_written_to(
        self, company: Background, settings: Settings
    ) -> None:
        propose(company)
        [parcel] = company.run(taken(company))
        assert parcel.recipient.name == PERSON["name"]
        erase(company)
        carried = Carried("message/rfc822", f"Dear {PERSON['name']}".encode())
        company.run(written_down(company, parcel, carried))
        assert tables_naming(company) == set()
        notice = company.get(f"/v1/dunning-notices/{parcel.notice_id}")
        assert (notice["state"], [each["kept"] for each in notice["documents"]]) == ("sent", [False])

    def test_nothing_is_kept_of_what_comes_back_when_they_are_erased(
        self, company: Background, settings: Settings
    ) -> None:
        remind(company, settings, {})
        notice = company.get(f"/v1/dunning-notices?customer_id={CUSTOMER}&state=sent")["items"][0]
        erase(company)
        company.post(f"/v1/dunning-notices/{notice['id']}/bounced", {"reason": f"no {PERSON['email']} here"})
        assert tables_naming(company) == set()

    def test_nobody_is_written_to_who_was_erased_or_replaced_before(self, company: Background) -> None:
        propose(company)
        parcels = company.run(taken(company, settle=False))
        erase(company)
        assert company.run(settled(company, parcels)) == []


class TestLetters:
    def test_say_the_same_but_for_who_was_erased(self, company: Background, settings: Settings) -> None:
        remind(company, settings, {})
        notice = company.get(f"/v1/dunning-notices?customer_id={CUSTOMER}&state=sent")["items"][0]
        path = f"/v1/dunning-notices/{notice['id']}/document"
        before = company.call("GET", path).text
        assert PERSON["name"] in before
        erase(company)
        assert company.call("GET", path).text == before.replace(PERSON["name"], "[erased]")
        letter = words_of(company.call("GET", path, headers={"Accept": "application/pdf"}).content)
        assert "OLD-" in letter
        assert [mark for mark in MARKS if mark in letter] == []


class TestLogs:
    def test_name_nobody(self, settings: Settings, mailbox: tuple[Mailbox, int], tmp_path: Path) -> None:
        """Of a real server at its most talkative, while the person is entered, looked for, refused, reminded in vain
        and erased."""
        assert settings.database_url
        mailbox[0].answers = [f"550 <{PERSON['email']}> is unknown"] * 9
        talkative = {"HEADROOM_LOG_LEVEL": "debug", "HEADROOM_LOG_FORMAT": "json"}
        smtp = {
            "HEADROOM_SMTP_HOST": "127.0.0.1",
            "HEADROOM_SMTP_PORT": str(mailbox[1]),
            "HEADROOM_SMTP_SECURITY": "none",
        }
        with serving(tmp_path, HEADROOM_DATABASE_URL=settings.database_url, **talkative, **smtp) as server:
            api = server.client
            said = {"name": "C-1", "country": "CN", "contacts": [PERSON, OTHER]}
            contact = api.put("/v1/customers/C-1", json=said).json()["contacts"][0]["id"]
            api.put("/v1/customers/C-1/accounts/main", json={"currency": "CNY"})
            late = {"customer_id": "C-1", "invoice_no": "OLD", "amount": "90", "currency": "CNY"}
            due = str(SystemClock().now().date() - timedelta(days=10))
            api.post("/v1/invoices", json={**late, "issued_on": due, "due_on": due})
            run = api.post("/v1/dunning-runs", json={}).json()
            api.post(f"/v1/dunning-runs/{run['id']}/release", json={})
            notice = f"/v1/dunning-notices/{run['notices'][0]['id']}"
            wait_until(lambda: api.get(notice).json()["sent_by"] == "letter")
            answers = [
                api.get("/v1/customers", params={"query": "Qwertz"}),
                api.put("/v1/customers/C-1", json={**said, "name": 7}),
                api.put("/v1/customers/C-1", json={**said, "parent_id": PERSON["name"]}),
                api.put("/v1/customers/C-1", content=f"{said}"),
                api.post("/v1/payments", json={"remittance": PERSON["name"]}),
                api.post(f"/v1/customers/C-1/contacts/{contact}/erase", json={"ground": "other"}),
            ]
        assert [answer.status_code for answer in answers] == [200, 422, 422, 415, 422, 200]
        log = (tmp_path / "server.log").read_text()
        assert log.count('"event":"request"') >= len(answers)
        assert '"event":"dunning_delivery_failed"' in log
        assert [mark for mark in MARKS if mark in log] == []


def contacts(company: Background) -> list[dict[str, Any]]:
    """Whom the company knows and knew at the customer, the last known first."""
    found: list[dict[str, Any]] = company.get(f"/v1/customers/{CUSTOMER}/contacts")["items"]
    return found


def pay(company: Background, body: dict[str, str]) -> Response:
    """Posts a payment under a key of its own name."""
    return company.call("POST", "/v1/payments", json=body, headers={"Idempotency-Key": body["payment_ref"]})


def propose(company: Background) -> None:
    """Lets a reminder wait to be sent."""
    release_reminder(company, {})
    company.run(gone_on(company))


async def gone_on(company: Background) -> None:
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        for run_id in await dunning.runs.unfinished(tx):
            await dunning.runs.go_on(tx, run_id=run_id)


async def taken(company: Background, *, settle: bool = True) -> Sequence[Parcel]:
    """The notices that are to go now, as the job takes them."""
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        parcels = await dunning.delivering.take(tx, languages=frozenset({"en", "zh"}), limit=10)
    return await settled(company, parcels) if settle else parcels


async def settled(company: Background, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return await dunning.delivering.addressees_known(tx, parcels=parcels)


async def written_down(company: Background, parcel: Parcel, carried: Carried) -> None:
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await dunning.delivering.sent(tx, parcel=parcel, carried=carried)


def verified(settings: Settings) -> bool:
    """Whether `headroom journal verify` finds the journal intact."""
    environment = {**os.environ, "HEADROOM_DATABASE_URL": str(settings.database_url)}
    command = [sys.executable, "-m", "app.cli", "journal", "verify"]
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode == 0


def wait_until(true: Callable[[], bool]) -> None:
    """Waits for what the server's jobs do in their own time."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it has not come true"
        time.sleep(0.1)
