"""Look into orders, without locking their accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.domains.exposure.core.commitments import OrderState
from app.domains.exposure.core.refusals import OrderNotFound
from app.domains.exposure.repository import orders as repository
from app.domains.exposure.repository.orders import FiledOrder
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction


async def filed_order(tx: Transaction, *, segment: str, order_ref: str) -> FiledOrder:
    """One order as it is stored. Raises `OrderNotFound`."""
    found = await repository.find(tx.session, [(segment, order_ref)])
    if not found:
        raise OrderNotFound(f"there is no order {order_ref!r} in segment {segment!r}")
    return found[0]


async def filed_orders(tx: Transaction, *, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], FiledOrder]:
    """Those of the orders of `keys` (segment, reference) that exist."""
    found = await repository.find(tx.session, set(keys)) if keys else ()
    return {filed.order.key: filed for filed in found}


async def list_orders(
    tx: Transaction,
    *,
    page: PageRequest,
    segments: Collection[str] | None = None,
    customer_id: str | None = None,
    state: OrderState | None = None,
) -> Slice[FiledOrder]:
    """Orders by segment and reference, in these segments or all; `changed_after` keeps what changed since."""
    return await repository.list_page(tx.session, page, segments=segments, customer_id=customer_id, state=state)
