"""Personal data of contacts: in one table only, and after an erasure nowhere."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.infra.jobs import run_once
from app.kernel.identity import SYSTEM
from app.settings import Settings
from app.support.journal import service as journal
from app.support.journal.core.exchange import exported_event
from app.worker import jobs
from tests.cli.test_serving import serving
from tests.proof.background import Background, in_background
from tests.proof.seeds import plant
from tests.support.sealing import seal_all

PERSON: Final = {
    "role": "dunning",
    "name": "Zhu Xiaoyan-Qwertz",
    "email": "xiaoyan.qwertz@example.com",
    "phone": "+86 10 5551 7733",
    "address": "Hutong Qwertz 17\nBeijing",
}
MARKS: Final = ("Xiaoyan", "xiaoyan", "Qwertz", "5551 7733")
OTHER: Final = {"role": "finance", "name": "Wang Fang", "email": "wang.fang@example.com"}
TABLES: Final = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relkind in ('r', 'p')
"""


@pytest.fixture
def company(settings: Settings, clock: FrozenClock) -> Iterator[Background]:
    """A company with one of everything, in which a person is known, and that has done everything once."""
    with in_background(settings, clock) as company:
        plant(company)
        company.put(
            "/v1/customers/C-2", {"name": "C-2", "country": "CN", "parent_id": "C-1", "contacts": [PERSON, OTHER]}
        )
        remind(company)
        for number in range(2):
            check = {"customer_id": "C-2", "order_ref": f"O-7{number}", "amount": "1", "currency": "CNY"}
            company.call("POST", "/v1/credit-checks", json=check, headers={"Idempotency-Key": "same"})
        for job in jobs(settings):
            company.run(run_once(job, company.transactions))
        yield company


def remind(company: Background) -> None:
    """Lets a reminder be sent to the person: the next day, for a day has one run."""
    company.clock.move(by=timedelta(days=1))
    late = {"customer_id": "C-2", "currency": "CNY", "amount": "90", "issued_on": "2026-01-02", "due_on": "2026-01-15"}
    company.post("/v1/invoices", {**late, "invoice_no": "OLD-9"})
    run = company.post("/v1/dunning-runs", {})
    company.post(f"/v1/dunning-runs/{run['id']}/release", {})


async def found_in(company: Background, marks: Sequence[str] = MARKS) -> set[str]:
    """The tables that have any mark of a person in any column, in text or in bytes."""
    found = set()
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        for table in await tx.session.scalars(text(TABLES)):
            for mark in marks:
                row = text(f'select exists (select from "{table}" t where t::text like any(:forms))')
                forms = [f"%{mark}%", f"%{mark.encode().hex()}%"]
                if await tx.session.scalar(row, {"forms": forms}):
                    found.add(table)
    return found


async def journal_of(company: Background) -> str:
    """The whole journal as it is exported, sealed to the end."""
    await seal_all(company.transactions)
    lines = []
    async for _, places in journal.export(lambda: company.transactions.begin(actor=SYSTEM, request_id="test")):
        lines += [exported_event(place.event) for place in places if place.event]
    return "\n".join(lines)


def contact_of(company: Background) -> str:
    contacts: list[dict[str, Any]] = company.get("/v1/customers/C-2")["contacts"]
    return str(next(contact["id"] for contact in contacts if contact["name"] == PERSON["name"]))


def erase(company: Background) -> str:
    contact_id = contact_of(company)
    path = f"/v1/customers/C-2/contacts/{contact_id}/erase"
    answer = company.call("POST", path, json={"ground": "objection"}, headers={"Idempotency-Key": "erase"})
    assert answer.status_code == 200, answer.text
    return contact_id


class TestPersonalData:
    def test_is_in_one_table_and_in_what_was_sent_to_the_person(self, company: Background) -> None:
        assert company.run(found_in(company)) == {"contacts", "dunning_notices", "dunning_documents"}

    def test_is_unreadable_everywhere_after_an_erasure(self, company: Background) -> None:
        assert any(mark in company.call("GET", "/v1/customers/C-2").text for mark in MARKS)
        contact_id = erase(company)
        assert company.run(found_in(company)) == set()
        told = company.run(journal_of(company))
        shown = "".join(company.call("GET", path).text for path in exports(company))
        for mark in MARKS:
            assert mark not in told
            assert mark not in shown
        assert contact_id in told

    def test_is_gone_from_letters_which_can_still_be_looked_at(self, company: Background) -> None:
        sent = company.get("/v1/dunning-notices?customer_id=C-2")["items"]
        notice = next(item for item in sent if item["state"] == "sent")
        path, accept = f"/v1/dunning-notices/{notice['id']}/document", {"Accept": "application/pdf"}
        before = company.call("GET", path, headers=accept).content
        assert any(mark in letter(before) for mark in MARKS)
        erase(company)
        after = company.call("GET", path, headers=accept).content
        assert [mark for mark in MARKS if mark in letter(after)] == []
        assert [mark for mark in MARKS if mark in company.call("GET", path).text] == []

    def test_leaves_the_journal_intact(self, company: Background) -> None:
        company.run(journal_of(company))
        erase(company)
        company.run(journal_of(company))
        assert company.get("/v1/journal/verification")["intact"]

    def test_of_others_stays(self, company: Background) -> None:
        erase(company)
        assert [contact["name"] for contact in company.get("/v1/customers/C-2")["contacts"]] == ["Wang Fang"]

    def test_of_others_is_not_copied_into_a_kept_answer(self, company: Background) -> None:
        erase(company)
        assert company.run(found_in(company, ("Wang Fang", "wang.fang"))) == {"contacts"}

    def test_is_erased_once(self, company: Background) -> None:
        before = company.get("/v1/customers/C-2")["version"]
        contact_id = erase(company)
        assert company.get("/v1/customers/C-2")["version"] == before + 1
        again = company.call("POST", f"/v1/customers/C-2/contacts/{contact_id}/erase", json={"ground": "other"})
        assert (again.status_code, again.json()["code"]) == (404, "contact_not_found")
        told = company.get("/v1/events?type=contact_erased&limit=500")["items"]
        assert len(told) <= 1

    def test_of_another_customer_is_not_reached(self, company: Background) -> None:
        path = f"/v1/customers/C-1/contacts/{contact_of(company)}/erase"
        assert company.call("POST", path, json={"ground": "other"}).json()["code"] == "contact_not_found"
        nobody = company.call("POST", path.replace("C-1", "NOBODY"), json={"ground": "other"})
        assert nobody.json()["code"] == "customer_not_found"


def letter(pdf: bytes) -> str:
    """What a letter says."""
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


class TestLogs:
    def test_name_nobody(self, settings: Settings, tmp_path: Path) -> None:
        """Of a real server at its most talkative, while the person is entered, searched for, refused and erased."""
        assert settings.database_url
        talkative = {"HEADROOM_LOG_LEVEL": "debug", "HEADROOM_LOG_FORMAT": "json"}
        with serving(tmp_path, HEADROOM_DATABASE_URL=settings.database_url, **talkative) as server:
            api = server.client
            said = {"name": "C-1", "country": "CN", "contacts": [PERSON, OTHER]}
            contact = api.put("/v1/customers/C-1", json=said).json()["contacts"][0]["id"]
            answers = [
                api.get("/v1/customers", params={"query": "Qwertz"}),
                api.put("/v1/customers/C-1", json={**said, "name": 7}),
                api.put("/v1/customers/C-1", json={**said, "parent_id": PERSON["name"]}),
                api.put("/v1/customers/C-1", content=f"{said}"),
                api.post(f"/v1/customers/C-1/contacts/{contact}/erase", json={"ground": "other"}),
            ]
        assert [answer.status_code for answer in answers] == [200, 422, 422, 415, 200]
        log = (tmp_path / "server.log").read_text()
        assert log.count('"event":"request"') >= 6
        assert [mark for mark in MARKS if mark in log] == []


def exports(company: Background) -> list[str]:
    """Every list of the API that needs nothing but a page."""
    document = company.app.openapi()["paths"]
    return [
        f"{path}?limit=500"
        for path, methods in document.items()
        if path.startswith("/v1/") and "{" not in path and "get" in methods
        if not any(parameter.get("required") for parameter in methods["get"].get("parameters", ()))
        if any(parameter["name"] == "limit" for parameter in methods["get"].get("parameters", ()))
    ]
