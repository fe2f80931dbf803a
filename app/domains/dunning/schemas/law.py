"""The law of late payment on the wire: rules, and the reference rates known to them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domains.dunning.core.interest import Follows, ReferenceRate, Sets, Statutes, StatutoryRule
from app.infra.http.fields import Line, Wire


def _percent(value: object) -> Decimal:
    text = value if isinstance(value, str) else ""
    try:
        number = Decimal(text)
    except ArithmeticError:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > 100 or number != round(number, 4) or "e" in text.lower():
        raise PydanticCustomError("percentage_out_of_range", "a rate lies within -100 and 100, with 4 decimals at most")
    return number


SignedPercent = Annotated[
    Decimal,
    PlainValidator(_percent),
    WithJsonSchema({"type": "string", "pattern": "^-?[0-9]{1,3}([.][0-9]{1,4})?$"}),
]


class RateIn(Wire):
    """A reference rate in per cent a year, and where it was read."""

    percent: SignedPercent
    source: Line | None = None


class RateRowOut(Wire):
    """A reference rate from a day on; without a `source` nobody has confirmed it."""

    reference: str
    valid_from: date
    percent: str
    source: str | None


class CompensationOut(Wire):
    """The fixed sum for a claim of at least `from_amount`."""

    currency: str
    from_amount: str
    amount: str


class RuleOut(Wire):
    """What the law of a jurisdiction grants: reference × `factor` + `margin_percent`, and a fixed sum a claim.

    `current_percent` is a year's interest of a claim that falls into arrears today; null while the reference rate that
    the law asks for is not known.
    """

    jurisdiction: str
    reference: str
    margin_percent: str
    factor: str
    sets: Sets
    follows: Follows
    current_percent: str | None
    compensation: list[CompensationOut]
    source: str


class StatutesOut(Wire):
    """All rules, and all reference rates that are known."""

    rules: list[RuleOut]
    rates: list[RateRowOut]


def statutes_out(law: Statutes, on: date) -> StatutesOut:
    """The law as an answer, as it is on the day `on`."""
    return StatutesOut(
        rules=[_rule_out(law, rule, on) for rule in law.rules.values()],
        rates=[rate_out(rate) for rates in law.rates.values() for rate in rates],
    )


def rate_out(rate: ReferenceRate) -> RateRowOut:
    """A reference rate as an answer."""
    return RateRowOut(
        reference=rate.reference, valid_from=rate.valid_from, percent=_plain(rate.percent), source=rate.source or None
    )


def _rule_out(law: Statutes, rule: StatutoryRule, on: date) -> RuleOut:
    current = law.row_on(rule, on)
    return RuleOut(
        jurisdiction=rule.jurisdiction,
        reference=rule.reference,
        margin_percent=str(rule.margin_percent),
        factor=str(rule.factor),
        sets=rule.sets,
        follows=rule.follows,
        current_percent=_plain(current.percent) if current else None,
        compensation=[
            CompensationOut(currency=s.currency, from_amount=str(s.from_amount), amount=str(s.amount))
            for s in rule.compensation
        ],
        source=rule.source,
    )


def _plain(percent: Decimal) -> str:
    return format(percent.normalize(), "f")
