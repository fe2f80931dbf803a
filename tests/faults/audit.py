"""Compares what the clients were told with what the database has, past the servers. Every finding is a defect."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from tests.faults.ledger import Entry, Expected, Kind, Ledger
from tests.faults.site import Site


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
