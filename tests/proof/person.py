"""A person who is known at a customer and is dealt with in every way that there is, and where they can be read."""

from __future__ import annotations

import email
import email.policy
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pypdf import PdfReader
from sqlalchemy import text

from app.infra.jobs import run_once
from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from app.settings import Settings
from app.support.journal import service as journal
from app.support.journal.core.exchange import exported_event
from app.worker import jobs
from tests.proof.access import QUERIES
from tests.proof.background import Background, encoded
from tests.proof.bodies import NAMES
from tests.support.mailbox import Mailbox
from tests.support.sealing import seal_all

PERSON: Final = {
    "role": "dunning",
    "name": "Zhu Xiaoyan-Qwertz",
    "email": "xiaoyan.qwertz@example.com",
    "phone": "+86 10 5551 7733",
    "address": "Hutong Qwertz 17\nBeijing",
}
MARKS: Final = ("Xiaoyan", "xiaoyan", "Qwertz", "qwertz", "5551 7733")
OTHER: Final = {"role": "finance", "name": "Wang Fang", "email": "wang.fang@example.com"}
CUSTOMER: Final = "C-2"
TABLES: Final = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relkind in ('r', 'p')
"""
BYTES: Final = """
    select table_name, column_name from information_schema.columns
    where table_schema = current_schema() and data_type = 'bytea'
"""


def introduce(company: Background, person: Mapping[str, Any] = PERSON) -> None:
    """Makes the person a contact, beside another."""
    said = {"name": CUSTOMER, "country": "CN", "contacts": [person, OTHER]}
    company.put(f"/v1/customers/{CUSTOMER}", said)


def deal_with(company: Background, settings: Settings, mailbox: Mailbox) -> None:
    """Reminds the person by mail, letter and call, and lets colleagues and the customer's bank write of them."""
    mailbox.doubts = [f"550 <{PERSON['email']}> {PERSON['name']} has left"]
    remind(company, settings, {})
    remind(company, settings, {"note": f"As agreed with {PERSON['name']}."})
    sent = company.get(f"/v1/dunning-notices?customer_id={CUSTOMER}&state=sent")["items"]
    by_mail = next(each for each in sent if company.get(f"/v1/dunning-notices/{each['id']}")["sent_by"] == "email")
    company.post(f"/v1/dunning-notices/{by_mail['id']}/bounced", {"reason": f"no {PERSON['email']} here"})
    do_everything(company, settings)
    remind(company, settings, {"channels": ["call"]})
    note_call(company)
    pay(company)
    company.call("POST", "/v1/credit-checks", json=check("O-71"), headers={"Idempotency-Key": "check"})
    introduce(company, {**PERSON, "phone": "+86 10 5551 7733 9"})
    do_everything(company, settings)


def remind(company: Background, settings: Settings, change: Mapping[str, Any]) -> None:
    """Lets a reminder go out."""
    release_reminder(company, change)
    do_everything(company, settings)


def release_reminder(company: Background, change: Mapping[str, Any]) -> None:
    """Releases a reminder, changed if asked: of the next day, for a day has one run."""
    company.clock.move(by=timedelta(days=1))
    late = {"customer_id": CUSTOMER, "currency": "CNY", "amount": "90", "due_on": "2026-02-20"}
    number = f"OLD-{company.clock.now():%d%H}"
    company.post("/v1/invoices", {**late, "issued_on": "2026-01-02", "invoice_no": number})
    run = company.post("/v1/dunning-runs", {})
    for notice in run["notices"]:
        if change and notice["customer_id"] == CUSTOMER:
            path, key = f"/v1/dunning-notices/{notice['id']}/change", {"Idempotency-Key": f"change {number}"}
            company.call("POST", path, json=change, headers=key).raise_for_status()
    company.post(f"/v1/dunning-runs/{run['id']}/release", {})


def note_call(company: Background) -> None:
    """Notes what the person said, and that they promised to pay, under a key."""
    task = company.get(f"/v1/collection-tasks?customer_id={CUSTOMER}")["items"][0]
    promise = {"amount": "10", "currency": "CNY", "promised_on": "2026-03-20"}
    said = {"outcome": "promised", "note": f"{PERSON['name']} ({PERSON['phone']}) will pay", "promise": promise}
    path = f"/v1/collection-tasks/{task['id']}/complete"
    company.call("POST", path, json=said, headers={"Idempotency-Key": "call"}).raise_for_status()


def pay(company: Background) -> None:
    """The person's bank says whose transfer it is: one alone under a key, one in a batch under another."""
    paid = {"customer_id": CUSTOMER, "amount": "5", "currency": "CNY", "received_on": "2026-03-02"}
    paid["remittance"] = f"OLD-1 FROM {PERSON['name']}"
    one, two = {**paid, "payment_ref": "P-71"}, {**paid, "payment_ref": "P-72"}
    company.call("POST", "/v1/payments", json=one, headers={"Idempotency-Key": "pay"}).raise_for_status()
    key = {"Idempotency-Key": "pay many"}
    company.call("POST", "/v1/payments/batch", json={"items": [two]}, headers=key).raise_for_status()


def check(order_ref: str) -> dict[str, str]:
    """An order of the person's company."""
    return {"customer_id": CUSTOMER, "order_ref": order_ref, "amount": "1", "currency": "CNY"}


def do_everything(company: Background, settings: Settings) -> None:
    """Runs every job once."""
    for job in jobs(settings):
        company.run(run_once(job, company.transactions))


def contact_of(company: Background) -> str:
    """The id of the person."""
    contacts: list[dict[str, Any]] = company.get(f"/v1/customers/{CUSTOMER}")["contacts"]
    return str(next(contact["id"] for contact in contacts if contact["name"] == PERSON["name"]))


def erase(company: Background) -> str:
    """Forgets the person; the id of the contact they were."""
    contact_id = contact_of(company)
    path = f"/v1/customers/{CUSTOMER}/contacts/{contact_id}/erase"
    answer = company.call("POST", path, json={"ground": "objection"}, headers={"Idempotency-Key": "erase"})
    assert answer.status_code == 200, answer.text
    return contact_id


def tables_naming(company: Background, marks: Sequence[str] = MARKS) -> set[str]:
    """The tables that have any mark of a person in any column: in text, in bytes, in letters, mails and JSON."""
    return company.run(_tables_naming(company, marks))


async def _tables_naming(company: Background, marks: Sequence[str]) -> set[str]:
    async with company.transactions.begin(actor=SYSTEM, request_id="test") as tx:
        found = set()
        for table in await tx.session.scalars(text(TABLES)):
            row = text(f'select exists (select from "{table}" t where t::text like any(:forms))')
            forms = [form for mark in marks for form in (f"%{mark}%", f"%{mark.encode().hex()}%")]
            if await tx.session.scalar(row, {"forms": forms}):
                found.add(str(table))
        return found | {table async for table, said in _documents(tx) if any(mark in said for mark in marks)}


async def _documents(tx: Transaction) -> Any:
    """What every document in any table says."""
    for table, column in list(await tx.session.execute(text(BYTES))):
        for body in await tx.session.scalars(text(f'select "{column}" from "{table}" where "{column}" is not null')):
            yield str(table), words_of(bytes(body))


def words_of(body: bytes) -> str:
    """What a document says: a PDF, a mail with its parts, or text."""
    if body.startswith(b"%PDF"):
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    if body.startswith(b"Subject: "):
        message = email.message_from_bytes(body, policy=email.policy.default)
        parts = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
        return "\n".join([str(message["To"]), *parts])
    return body.decode(errors="replace")


def journal_of(company: Background) -> str:
    """The whole journal as it is exported, sealed to the end."""
    return company.run(_journal_of(company))


async def _journal_of(company: Background) -> str:
    await seal_all(company.transactions)
    lines = []
    async for _, places in journal.export(lambda: company.transactions.begin(actor=SYSTEM, request_id="test")):
        lines += [exported_event(place.event) for place in places if place.event]
    return "\n".join(lines)


def pages_naming(company: Background, marks: Sequence[str] = MARKS) -> set[str]:
    """The paths of all that can be got, lists and documents too, which name the person."""
    return {path for path, said in _pages(company) if any(mark in said for mark in marks)}


def _pages(company: Background) -> Iterator[tuple[str, str]]:
    notices = company.get(f"/v1/dunning-notices?customer_id={CUSTOMER}&limit=500")["items"]
    for notice in notices:
        path = f"/v1/dunning-notices/{notice['id']}"
        yield path, company.call("GET", path).text
        for kind in ("text/html", "application/pdf"):
            answer = company.call("GET", f"{path}/document", headers={"Accept": kind})
            yield f"{path}/document", words_of(answer.content)
    known = {**NAMES, "customer_id": CUSTOMER, "payment_ref": "P-71", "invoice_no": "OLD-1"}
    for path, methods in company.app.openapi()["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        if path.startswith("/v1/") and "get" in methods and known.keys() >= set(names):
            filled = path.format(**{name: encoded(known[name]) for name in names})
            answer = company.call("GET", filled, params=_query(methods["get"], QUERIES.get(f"GET {path}", {})))
            assert answer.status_code in (200, 404, 422), (filled, answer.text)
            yield path, words_of(answer.content)


def _query(operation: Mapping[str, Any], needed: Mapping[str, str]) -> dict[str, str]:
    """As much as a list shows at once, of the person's company where it may be asked for."""
    known = {"limit": "500", "customer_id": CUSTOMER, "from": "2026-01-01", "to": "2026-12-31"}
    names = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    return {**{name: value for name, value in known.items() if name in names}, **needed}
