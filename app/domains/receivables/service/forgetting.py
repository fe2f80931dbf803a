"""Forgetting a person in what payers wrote on their transfers."""

from __future__ import annotations

from app.domains.customers.core.events import ContactErased
from app.domains.customers.core.redaction import redacted
from app.domains.receivables.repository import forgetting as repository
from app.infra.transaction import Transaction


async def contact_erased(tx: Transaction, event: ContactErased) -> None:
    """Takes the person out of the texts of their customer's payments; that they were posted with one stays."""
    assert event.customer_id is not None, "a contact is a customer's"
    worded = await repository.remittances(tx.session, event.customer_id)
    changed = {payment: kept for payment, said in worded.items() if (kept := redacted(said, event.marks)) != said}
    await repository.reword(tx.session, changed)
