"""Compares what the clients were told with what the database has, past the servers. Every finding is a defect."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Final

from tests.faults.ledger import Entry, Expected, Kind, Ledger
from tests.faults.site import Site

TOLD_BY: Final = {
    Kind.CHECK: ["credit_check_approved", "credit_check_referred", "credit_check_declined"],
    Kind.SHIPMENT: ["order_shipped"],
    Kind.INVOICE: ["invoice_posted"],
    Kind.PAYMENT: ["payment_posted"],
}
"""The types of the events that tell of a document, exactly one of which must."""


async def findings_on_acknowledged(site: Site, ledger: Ledger) -> list[str]:
    """What was acknowledged and is not there, or not as it was acknowledged; what is there twice."""
    findings = []
    kept = await _kept_answers(site)
    for kind in Kind:
        stored = await _stored(site, kind)
        findings += [f"{kind.name} {ref} is there {n} times" for (ref, _), n in stored.items() if n > 1]
        for entry in ledger.acknowledged:
            if entry.kind is kind and (entry.ref, entry.amount) not in stored:
                findings.append(f"{kind.name} {entry.ref} was acknowledged and is lost")
    for entry in ledger.acknowledged:
        if kept.get(entry.key) != entry.answer:
            findings.append(f"the answer to {entry.key} is lost")
    return findings + await _reservations_lost(site, ledger)


async def findings_on_everything(site: Site, ledger: Ledger) -> list[str]:
    """As `findings_on_acknowledged`, once all is answered; and what is there though nobody sent it, to the cent."""
    findings = await findings_on_acknowledged(site, ledger)
    for kind in Kind:
        sent = {entry.ref for entry in ledger.entries if entry.kind is kind}
        findings += [f"{kind.name} {ref} was never sent" for ref, _ in await _stored(site, kind) if ref not in sent]
    rows = await site.fetch(
        "select customer_id, open_orders, delivered, receivables - unallocated_credits as owed from accounts"
    )
    expected = ledger.expected()
    for row in rows:
        there, told = Expected(*list(row)[1:]), expected.get(row["customer_id"], Expected())
        if there != told:
            findings.append(f"account {row['customer_id']} is {there}, and must be {told}")
    return findings + await _told_otherwise(site)


async def _told_otherwise(site: Site) -> list[str]:
    """Documents of which the journal does not tell exactly once, and events that tell of nothing that is there."""
    findings = []
    for kind in Kind:
        table, reference = kind.value
        subject = "id::text" if kind is Kind.CHECK else reference
        rows = await site.fetch(
            f"""
            select coalesce(document.subject, told.subject_id) as subject, coalesce(told.times, 0) as times,
                   document.subject is not null as is_there
            from (select {subject} as subject from {table}) document
            full join (select subject_id, count(*) as times from events where type = any($1) group by subject_id) told
                 on told.subject_id = document.subject
            where told.times is distinct from 1 or document.subject is null
            """,
            TOLD_BY[kind],
        )
        findings += [
            f"the journal tells {row['times']} times of {kind.name} {row['subject']}"
            + ("" if row["is_there"] else ", which is not there")
            for row in rows
        ]
    return findings


async def _stored(site: Site, kind: Kind) -> Counter[tuple[str, Decimal]]:
    table, reference = kind.value
    return Counter(
        (row["ref"], row["amount"]) for row in await site.fetch(f"select {reference} as ref, amount from {table}")
    )


async def _kept_answers(site: Site) -> dict[str, bytes]:
    return {row["key"]: row["body"] for row in await site.fetch("select key, body from idempotency_keys")}


async def _reservations_lost(site: Site, ledger: Ledger) -> list[str]:
    """An approved check is worth its reservation: the order must be there with the amount approved."""
    rows = await site.fetch("select order_ref, approved from commitments")
    approved = {row["order_ref"]: row["approved"] for row in rows}
    return [
        f"the reservation of {entry.ref} is lost"
        for entry in ledger.acknowledged
        if entry.approved and not _covers(approved, entry)
    ]


def _covers(approved: dict[str, Decimal], entry: Entry) -> bool:
    return approved.get(entry.ref) == entry.amount
