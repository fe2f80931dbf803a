"""The wire format of orders, shipments and reviews."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field, model_validator

from app.domains.exposure.core.commitments import OrderState
from app.domains.exposure.service import FiledOrder
from app.domains.orders.answers import plain
from app.domains.orders.check_schemas import CreditCheckOut, Days
from app.domains.orders.core.cases import Note
from app.domains.orders.core.orders import AcceptedOrder
from app.domains.orders.core.reviews import Review, reservation_state
from app.domains.orders.core.shipments import Shipment
from app.domains.orders.service import CheckView, Replay
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    ExchangeRate,
    Flag,
    Line,
    MoneyText,
    NonNegativeAmount,
    PositiveAmount,
    Prose,
    Reference,
    SegmentName,
    Wire,
    decimals_fit,
    money_text,
)
from app.kernel.money import render

# ---- orders ------------------------------------------------------------------------------------------------


class OrderIn(Wire):
    """An order that was accepted before Headroom: its whole value, what has shipped and what is invoiced of it."""

    customer_id: Reference
    segment: SegmentName = "main"
    order_ref: Reference
    currency: CurrencyCode
    approved: NonNegativeAmount
    shipped: NonNegativeAmount = Decimal(0)
    invoiced: NonNegativeAmount = Decimal(0)
    requested_ship_on: BusinessDay | None = None
    reservation_days: Days | None = None
    fx_rate: Annotated[ExchangeRate | None, Field(description="Account currency per unit of currency")] = None

    @model_validator(mode="after")
    def _decimals(self) -> OrderIn:
        decimals_fit(self, "approved", "shipped", "invoiced")
        return self

    def accepted(self) -> AcceptedOrder:
        """As the core knows it."""
        return AcceptedOrder(
            customer_id=self.customer_id,
            segment=self.segment,
            order_ref=self.order_ref,
            currency=self.currency,
            approved=self.approved,
            shipped=self.shipped,
            invoiced=self.invoiced,
            ship_on=self.requested_ship_on,
            reservation_days=self.reservation_days,
            rate=self.fx_rate,
        )


class OrderOut(Wire):
    """What an order binds. `open` is reserved, `delivered` waits for its invoice, `held` for a review; all amounts are
    in `currency`. `fx_rate` is account currency per unit of it."""

    segment: str
    order_ref: str
    customer_id: str
    currency: CurrencyCode
    state: OrderState
    approved: MoneyText
    shipped: MoneyText
    invoiced: MoneyText
    open: MoneyText
    delivered: MoneyText
    held: MoneyText
    fx_rate: str
    account_currency: CurrencyCode
    ship_on: date | None
    expires_at: datetime | None
    review_id: UUID | None
    created_at: datetime
    changed_at: datetime


def order_out(filed: FiledOrder) -> OrderOut:
    """An order as the API shows it."""
    order = filed.order
    return OrderOut(
        segment=order.segment,
        order_ref=order.order_ref,
        customer_id=order.customer_id,
        currency=order.currency,
        state=order.state,
        approved=render(order.approved, order.currency),
        shipped=render(order.shipped, order.currency),
        invoiced=render(order.invoiced, order.currency),
        open=render(order.open, order.currency),
        delivered=render(order.delivered, order.currency),
        held=render(order.held, order.currency),
        fx_rate=plain(order.rate),
        account_currency=order.account_currency,
        ship_on=order.ship_on,
        expires_at=order.expires_at,
        review_id=order.review_id,
        created_at=filed.created_at,
        changed_at=filed.changed_at,
    )


class ReasonIn(Wire):
    """Why something is done; it goes into the journal."""

    reason: Prose


# ---- shipments ---------------------------------------------------------------------------------------------


class ShipmentIn(Wire):
    """Goods that leave, worth `amount` in the order's currency. What has already left is booked in any case."""

    shipment_ref: Reference
    amount: PositiveAmount
    already_left: Flag = False


class ReversalIn(Wire):
    """Goods came back; `reorder` when they are to be sent again."""

    reason: Prose
    reorder: Flag = False


class ShipmentOut(Wire):
    """Goods that left, and how they came back."""

    segment: str
    shipment_ref: str
    order_ref: str
    customer_id: str
    amount: MoneyText
    currency: CurrencyCode
    already_left: bool
    shipped_at: datetime
    shipped_by: str
    reversed_at: datetime | None
    reversed_by: str | None
    reversal_reason: str | None
    reorder: bool | None


def shipment_out(shipment: Shipment) -> ShipmentOut:
    """A shipment as the API shows it."""
    return ShipmentOut(
        segment=shipment.segment,
        shipment_ref=shipment.shipment_ref,
        order_ref=shipment.order_ref,
        customer_id=shipment.customer_id,
        amount=render(shipment.amount, shipment.currency),
        currency=shipment.currency,
        already_left=shipment.already_left,
        shipped_at=shipment.shipped_at,
        shipped_by=shipment.shipped_by,
        reversed_at=shipment.reversed_at,
        reversed_by=shipment.reversed_by,
        reversal_reason=shipment.reversal_reason,
        reorder=shipment.reorder,
    )


# ---- credit checks and their reviews -----------------------------------------------------------------------


class ReleaseIn(Wire):
    """A person answers for a referred order, for at most the amount that was checked."""

    reason: Annotated[Prose, Field(description="One of the policy's, where it lists some")]
    amount: PositiveAmount | None = None
    expires_on: Annotated[BusinessDay | None, Field(description="The last day of the release, in the segment")] = None


class HandOnIn(Wire):
    """A review is handed to somebody else."""

    to: Annotated[Line, Field(description="A person or a role")]
    note: Prose


class NoteIn(Wire):
    """What is to be remembered of a referred order."""

    note: Prose


class NoteOut(Wire):
    """What somebody wrote down about a referred order."""

    id: UUID
    note: str
    written_by: str
    written_at: datetime


class StoredCheckOut(CreditCheckOut):
    """A decision as it was given, with its review and its reservation as they stand now.

    `reservation` is what the check set aside; after a release, what the order has set aside now. Of one under review,
    in account currency: `shortfall` is what is missing at most, `uncovered` the part of the order that no cover stands
    behind, `expected_loss` the probability of default × the loss given default × that, null without an assessment.
    """

    checked_by: str
    on_behalf_of: str | None
    review_until: datetime | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    review_reason: str | None
    released_amount: MoneyText | None
    age_seconds: Annotated[int | None, Field(description="How long it has waited")]
    shortfall: MoneyText | None
    uncovered: MoneyText | None
    expected_loss: MoneyText | None
    claimed_by: str | None
    claimed_at: datetime | None
    referred_to: str | None


class ReplayOut(Wire):
    """A stored decision, and the one that the same facts lead to under the same policy; `differing` names members."""

    identical: bool
    differing: list[str]
    stored: dict[str, Any]
    replayed: dict[str, Any] | None


def check_document(view: CheckView) -> dict[str, Any]:
    """A stored check as the API shows it: the answer as it was sent, what has changed since brought up to date."""
    check = view.stored.check
    amount = check.released_amount
    document: dict[str, Any] = orjson.loads(view.stored.answer)
    return {
        **document,
        "review": check.review_at(view.at).value,
        "reservation": _reservation(view, document),
        "checked_by": check.caller_name,
        "on_behalf_of": check.on_behalf_of,
        "review_until": check.review_until,
        "reviewed_by": check.reviewed_by,
        "reviewed_at": check.reviewed_at,
        "review_reason": check.review_reason,
        "released_amount": None if amount is None else render(amount, check.currency),
        **_work(view, document),
    }


def note_out(note: Note) -> NoteOut:
    """A note as the API shows it."""
    return NoteOut(id=note.id, note=note.note, written_by=note.written_by, written_at=note.written_at)


def replay_out(replay: Replay) -> ReplayOut:
    """A replay as the API shows it."""
    return ReplayOut(
        identical=replay.identical, differing=list(replay.differing), stored=replay.stored, replayed=replay.replayed
    )


def _work(view: CheckView, document: dict[str, Any]) -> dict[str, Any]:
    check, case, stake = view.stored.check, view.work.case, view.work.stake
    waits = check.review_at(view.at) is Review.OPEN
    missing = [Decimal(reason["shortfall"]) for reason in document["reasons"] if "shortfall" in reason]
    return {
        "age_seconds": int((view.at - check.decided_at).total_seconds()) if waits else None,
        "shortfall": render(max(missing), document["account_currency"]) if waits and missing else None,
        "uncovered": money_text(stake.uncovered) if stake and stake.uncovered is not None else None,
        "expected_loss": money_text(stake.expected_loss) if stake and stake.expected_loss is not None else None,
        "claimed_by": case.claimed_by_name if case else None,
        "claimed_at": case.claimed_at if case else None,
        "referred_to": case.referred_to if case else None,
    }


def _reservation(view: CheckView, document: dict[str, Any]) -> dict[str, Any] | None:
    reserved, order = document["reservation"], view.order
    if order is None:
        return None
    if reserved is not None:
        until = datetime.fromisoformat(reserved["expires_at"])
        return {**reserved, "state": reservation_state(order, expires_at=until, now=view.at).value}
    if view.stored.check.review is not Review.RELEASED or order.expires_at is None:
        return None
    return {
        "amount": render(order.open, order.currency),
        "currency": order.currency,
        "state": reservation_state(order, expires_at=order.expires_at, now=view.at).value,
        "expires_at": order.expires_at,
    }
