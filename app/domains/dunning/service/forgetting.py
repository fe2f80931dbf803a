"""Forgetting a person in what was sent to them, and in what was noted of them."""

from __future__ import annotations

from uuid import UUID

from app.domains.customers.core.events import ContactErased
from app.domains.customers.core.redaction import redacted
from app.domains.dunning.repository import forgetting as repository
from app.infra.transaction import Transaction


async def contact_erased(tx: Transaction, event: ContactErased) -> None:
    """Takes the letters and mails away that name the contact, and the person out of notes of their customer.

    That something was sent, when, at which level and for what stays, and so does its digest in the journal: it proves
    the reminder to whoever still has the original.
    """
    assert event.customer_id is not None, "a contact is a customer's"
    await repository.empty_documents(tx.session, UUID(event.subject_id))
    for notice in await repository.annotated_notices(tx.session, event.customer_id):
        notice.note = redacted(notice.note, event.marks)
        notice.failures = redacted(notice.failures, event.marks)
        if notice.content is not None:
            notice.content = {**notice.content, "note": redacted(notice.content["note"], event.marks)}
    for task in await repository.annotated_tasks(tx.session, event.customer_id):
        task.note = redacted(task.note, event.marks)
    await tx.session.flush()
