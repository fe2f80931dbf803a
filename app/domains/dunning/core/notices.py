"""Runs and notices: their states, and what a notice asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from app.kernel.lifecycle import Lifecycle
from app.kernel.money import ZERO, render


class RunState(StrEnum):
    """How far a run is: proposed until somebody releases it, done when its last notice is on its way."""

    PROPOSED = "proposed"
    RELEASED = "released"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class RunMove(StrEnum):
    """What happens to a run."""

    RELEASE = "release"
    FINISH = "finish"
    WITHDRAW = "withdraw"


RUNS: Final = Lifecycle(
    {
        RunState.PROPOSED: {RunMove.RELEASE: RunState.RELEASED, RunMove.WITHDRAW: RunState.WITHDRAWN},
        RunState.RELEASED: {RunMove.FINISH: RunState.DONE},
        RunState.DONE: {},
        RunState.WITHDRAWN: {},
    }
)


class NoticeState(StrEnum):
    """How far a notice is. `settled`: it was sent, and all it was about has been paid; `dropped`: it never was sent."""

    PROPOSED = "proposed"
    RELEASED = "released"
    SENT = "sent"
    SETTLED = "settled"
    DROPPED = "dropped"
    FAILED = "failed"


class NoticeMove(StrEnum):
    """What happens to a notice."""

    RELEASE = "release"
    SEND = "send"
    BOUNCE = "bounce"
    FAIL = "fail"
    DROP = "drop"
    SETTLE = "settle"
    REVIVE = "revive"


NOTICES: Final = Lifecycle(
    {
        NoticeState.PROPOSED: {NoticeMove.RELEASE: NoticeState.RELEASED, NoticeMove.DROP: NoticeState.DROPPED},
        NoticeState.RELEASED: {
            NoticeMove.SEND: NoticeState.SENT,
            NoticeMove.FAIL: NoticeState.FAILED,
            NoticeMove.DROP: NoticeState.DROPPED,
        },
        NoticeState.SENT: {NoticeMove.SETTLE: NoticeState.SETTLED, NoticeMove.BOUNCE: NoticeState.SENT},
        NoticeState.SETTLED: {NoticeMove.REVIVE: NoticeState.SENT},
        NoticeState.DROPPED: {},
        NoticeState.FAILED: {NoticeMove.RELEASE: NoticeState.RELEASED, NoticeMove.DROP: NoticeState.DROPPED},
    }
)
"""A sent notice that bounces stays sent, for the level was reached: it goes on by the next channel."""

PENDING: Final = (NoticeState.PROPOSED, NoticeState.RELEASED)
DELIVERED: Final = (NoticeState.SENT, NoticeState.SETTLED)


@dataclass(frozen=True, slots=True)
class Total:
    """What a notice asks for in one currency: the items, new interest and charges, earlier ones, less credits."""

    currency: str
    items: Decimal = ZERO
    interest: Decimal = ZERO
    fee: Decimal = ZERO
    compensation: Decimal = ZERO
    earlier: Decimal = ZERO
    credits: Decimal = ZERO

    @property
    def net_due(self) -> Decimal:
        """What is to be paid; never less than nothing."""
        charged = self.interest + self.fee + self.compensation
        return max(self.items + charged + self.earlier - self.credits, ZERO)

    @property
    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        amounts = {
            "items": self.items,
            "interest": self.interest,
            "fee": self.fee,
            "compensation": self.compensation,
            "earlier_claims": self.earlier,
            "credits": self.credits,
            "net_due": self.net_due,
        }
        return {"currency": self.currency, **{n: render(a, self.currency) for n, a in amounts.items()}}


@dataclass(frozen=True, slots=True)
class Asked:
    """The amounts of one line of a notice, in its currency."""

    currency: str
    asked: Decimal
    interest: Decimal
    compensation: Decimal


def totals(
    lines: Sequence[Asked],
    *,
    fees: Mapping[str, Decimal],
    earlier: Mapping[str, Decimal],
    credits: Mapping[str, Decimal],
) -> tuple[Total, ...]:
    """The totals of a notice, one a currency, by the currency's code. Fees and interest bear neither."""
    currencies = (
        {line.currency for line in lines} | {c for c, a in fees.items() if a} | {c for c, a in earlier.items() if a}
    )
    return tuple(
        Total(
            currency,
            items=_sum(line.asked for line in lines if line.currency == currency),
            interest=_sum(line.interest for line in lines if line.currency == currency),
            fee=fees.get(currency, ZERO),
            compensation=_sum(line.compensation for line in lines if line.currency == currency),
            earlier=earlier.get(currency, ZERO),
            credits=credits.get(currency, ZERO),
        )
        for currency in sorted(currencies)
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
