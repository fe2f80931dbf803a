"""Forgetting a person in what was sent to them."""

from __future__ import annotations

from app.domains.customers.core.events import ContactErased
from app.domains.dunning.core.redaction import redacted
from app.domains.dunning.repository import notices as repository
from app.infra.transaction import Transaction


async def contact_erased(tx: Transaction, event: ContactErased) -> None:
    """Takes the person out of the customer's notices, and the letters and mails away that name them.

    That something was sent, when, at which level and for what stays, and so does its digest in the journal: it proves
    the reminder to whoever still has the original. What `ContactErased` says is all that the journal is told.
    """
    assert event.customer_id is not None, "a contact is a customer's"
    for notice in await repository.written_to(tx.session, event.customer_id):
        documents = await repository.documents_of(tx.session, notice.id)
        named = any(redacted(document.recipient, event.marks) != document.recipient for document in documents)
        written = {"content": notice.content, "note": notice.note, "failures": notice.failures}
        kept = redacted(written, event.marks)
        if kept == written and not named:
            continue
        notice.content, notice.note, notice.failures = kept["content"], kept["note"], kept["failures"]
        for document in documents:
            document.recipient, document.body = redacted(document.recipient, event.marks), b""
    await tx.session.flush()
