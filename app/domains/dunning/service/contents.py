"""What a notice says: everything that templates may use, as JSON, kept with the notice when it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Customer
from app.domains.dunning.core.recipients import Recipient, addressed, language_of, recipient_again, recipient_of
from app.domains.dunning.repository import notices as repository
from app.domains.dunning.tables import DunningLineRow, DunningNoticeRow
from app.domains.policies import service as policies
from app.domains.policies.core.dunning import DunningSender
from app.infra.transaction import Transaction
from app.kernel.money import render
from app.kernel.periods import local_day


async def of_notice(
    tx: Transaction, notice: DunningNoticeRow, *, languages: frozenset[str]
) -> tuple[Mapping[str, Any], Recipient]:
    """What the notice says, and to whom. What was sent already says the same for ever, but for who was erased."""
    if notice.content is not None:
        written_to = notice.content["written_to"]
        known = await customers.contacts_by_id(tx, contact_ids=[UUID(each) for each in written_to.values()])
        recipient = recipient_again(written_to, known)
        return addressed(notice.content, recipient), recipient
    customer = await customers.get(tx, customer_id=notice.customer_id)
    recipient = recipient_of(await customers.contacts_of(tx, customer_id=notice.customer_id))
    return addressed(await _content(tx, notice, customer, languages=languages), recipient), recipient


async def addressees_known(tx: Transaction, notice: DunningNoticeRow) -> bool:
    """Whether all whom a notice that was sent was written to are still known."""
    assert notice.content is not None, "it was sent"
    ids = {UUID(each) for each in notice.content["written_to"].values()}
    return len(await customers.contacts_by_id(tx, contact_ids=ids)) == len(ids)


async def to_be_sent(
    tx: Transaction, notice: DunningNoticeRow, *, languages: frozenset[str]
) -> tuple[Mapping[str, Any], Recipient]:
    """What a notice is to say when it goes out now: what came back says the same, to whom the customer names by now."""
    if notice.content is None:
        return await of_notice(tx, notice, languages=languages)
    recipient = recipient_of(await customers.contacts_of(tx, customer_id=notice.customer_id))
    return addressed(notice.content, recipient), recipient


async def _content(
    tx: Transaction, notice: DunningNoticeRow, customer: Customer, *, languages: frozenset[str]
) -> dict[str, Any]:
    segment = await policies.segment(tx, segment=notice.segment)
    effective = await policies.effective_policy(tx, segment=notice.segment, customer=customer)
    rules = effective.policy.dunning
    lines = await repository.lines_of(tx.session, [notice.id])
    return {
        "reference": notice.reference,
        "level": notice.level,
        "template": notice.template,
        "language": language_of(customer.language, customer.country, languages),
        "locale": customer.language,
        "segment": notice.segment,
        "date": local_day(tx.now, segment.zone).isoformat(),
        "deadline_on": notice.deadline_on.isoformat(),
        "note": notice.note,
        "customer": {"id": customer.customer_id, "name": customer.legal_name or customer.name},
        "sender": _sender(rules.sender if rules else DunningSender(), segment.name),
        "lines": _lines(notice, lines),
        "totals": notice.totals,
        "rates": notice.rates,
    }


def _sender(sender: DunningSender, segment: str) -> dict[str, Any]:
    return {
        "name": sender.name or segment,
        "address": list(sender.address),
        "contact": list(sender.contact),
        "pay_to": list(sender.pay_to),
    }


def _lines(notice: DunningNoticeRow, lines: Sequence[DunningLineRow]) -> list[dict[str, Any]]:
    return [
        {
            "invoice_no": line.invoice_no,
            "issued_on": line.issued_on.isoformat(),
            "due_on": line.due_on.isoformat(),
            "days_overdue": (notice.run_on - line.due_on).days,
            "level": line.level,
            "currency": line.currency,
            **{
                member: render(amount, line.currency)
                for member, amount in (
                    ("amount", line.amount),
                    ("open", line.open_amount),
                    ("disputed", line.disputed),
                    ("asked", line.asked),
                    ("interest", line.interest),
                    ("compensation", line.compensation),
                )
            },
        }
        for line in lines
    ]
