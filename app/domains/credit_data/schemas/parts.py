"""What the wire formats of all records share: amounts with their currency, and where a record comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.domains.credit_data.core.records import Filed, Kind
from app.domains.credit_data.records import document
from app.domains.policies.core.factors import Independence
from app.infra.http.fields import CurrencyCode, MoneyText, NonNegativeAmount, Prose, Wire, decimals_fit, money_text
from app.kernel.money import Money


class AmountIn(Wire):
    """An amount and its currency."""

    amount: NonNegativeAmount
    currency: CurrencyCode

    @model_validator(mode="after")
    def _decimals(self) -> Self:
        decimals_fit(self, "amount")
        return self

    def money(self) -> Money:
        """As the core knows it."""
        return Money(self.amount, self.currency)


class AmountOut(Wire):
    """An amount and its currency."""

    amount: MoneyText
    currency: str


class RecordOut(Wire):
    """What is said of every record. `version` grows with each correction; `known_at` and `entered_by` are of this
    version."""

    id: UUID
    customer_id: str
    version: int
    source: str
    independence: Independence
    known_at: datetime
    entered_by: str


class VersionOut(Wire):
    """One version of a record: what it said, and from when to when that was what was known."""

    version: int
    valid_on: date
    source: str
    independence: Independence
    known_at: datetime
    superseded_at: datetime | None
    entered_by: str
    retracted: bool
    reason: str | None
    content: dict[str, Any]


class VersionsOut(Wire):
    """Every version of a record, the first one first."""

    id: UUID
    customer_id: str
    kind: Kind
    segment: str | None
    versions: list[VersionOut]


class RetractIn(Wire):
    """Why a record is taken back."""

    reason: Annotated[Prose, Field(max_length=500)]


def origin_of(record: Filed[Any]) -> dict[str, Any]:
    """The members of `RecordOut`."""
    return {
        "id": record.id,
        "customer_id": record.customer_id,
        "version": record.version,
        "source": record.source,
        "independence": record.independence,
        "known_at": record.known_at,
        "entered_by": record.entered_by,
    }


def plain(number: Decimal | None) -> str | None:
    """A number as text, without an exponent."""
    return None if number is None else format(number, "f")


def amount_out(money: Money | None) -> AmountOut | None:
    """An amount as it travels."""
    return None if money is None else AmountOut(amount=money_text(money), currency=money.currency)


def versions_out(found: Sequence[Filed[Any]]) -> VersionsOut:
    """All versions of one record as they travel."""
    last = found[-1]
    return VersionsOut(
        id=last.id,
        customer_id=last.customer_id,
        kind=last.kind,
        segment=last.segment,
        versions=[
            VersionOut(
                version=each.version,
                valid_on=each.valid_on,
                source=each.source,
                independence=each.independence,
                known_at=each.known_at,
                superseded_at=each.superseded_at,
                entered_by=each.entered_by,
                retracted=each.retracted,
                reason=each.reason,
                content=document(each.content),
            )
            for each in found
        ],
    )
