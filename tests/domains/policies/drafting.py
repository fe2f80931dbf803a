"""What several tests of policies do: draft, approve, propose."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Customer, Particulars
from app.domains.policies import service as policies
from app.domains.policies.core.document import default_document
from app.infra.transaction import Transaction
from tests.support.api import MONDAY

TODAY = MONDAY.date()


def document(**checks: Any) -> dict[str, Any]:
    """The default document with some order checks said otherwise."""
    changed = default_document()
    changed["order_checks"] |= checks
    return changed


async def draft(tx: Transaction, **checks: Any) -> int:
    """The number of a new draft in main."""
    return (await policies.draft(tx, segment="main", document=document(**checks), note="test")).version.version


async def approved(author: Transaction, approver: Transaction, **checks: Any) -> int:
    """The number of a new version in main that a second person has approved."""
    number = await draft(author, **checks)
    await policies.submit(author, segment="main", number=number)
    await policies.approve(approver, segment="main", number=number)
    return number


async def active_number(tx: Transaction) -> int:
    return (await policies.active(tx, segment="main")).version


async def put_customer(tx: Transaction, customer_id: str = "C1", profile: str = "default") -> Customer:
    particulars = Particulars(name="Red Star", country="CN", profile=profile)
    return (await customers.put(tx, customer_id=customer_id, particulars=particulars)).customer


async def propose(tx: Transaction, patch: dict[str, Any], valid_until: date = TODAY) -> Any:
    """A proposal for C1 in main."""
    return await policies.propose_override(
        tx, segment="main", customer_id="C1", patch=patch, valid_until=valid_until, reason="large project"
    )
