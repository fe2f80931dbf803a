"""Segregation of duties: which scopes nobody should hold together, and who does.

Four eyes at each decision keep one person from deciding alone on one thing. These rules keep one person from holding
both ends of a procedure at all. A principal that breaks one still works, for a company of two people has no choice; it
is shown to whoever answers for the internal control.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from app.support.auth.core.scopes import Bundles, Scope

_APPROVAL: Final = frozenset({Scope.LIMITS_APPROVE, Scope.LIMITS_SET})


@dataclass(frozen=True, slots=True)
class Duty:
    """One rule: whoever has one of `these` scopes has none of `those`."""

    code: str
    rule: str
    these: frozenset[Scope]
    those: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class DutyConflict:
    """A duty that a principal's scopes break, and the scopes that do so."""

    duty: Duty
    scopes: tuple[Scope, ...]


_PROCEDURES: Final = (
    Duty(
        "policy_editor_approves",
        "who edits a policy doesn't approve it",
        frozenset({Scope.POLICIES_WRITE}),
        frozenset({Scope.POLICIES_APPROVE}),
    ),
    Duty(
        "limit_requester_approves",
        "who requests a limit neither approves nor sets one",
        frozenset({Scope.LIMITS_REQUEST}),
        _APPROVAL,
    ),
    Duty(
        "order_requester_releases",
        "who asks for orders to be checked doesn't release them",
        frozenset({Scope.ORDERS_CHECK}),
        frozenset({Scope.ORDERS_RELEASE}),
    ),
    Duty(
        "payment_poster_writes_off",
        "who posts payments doesn't write off",
        frozenset({Scope.RECEIVABLES_WRITE}),
        frozenset({Scope.RECEIVABLES_WRITE_OFF}),
    ),
    Duty(
        "customer_maintainer_approves",
        "who maintains customers doesn't approve their limits",
        frozenset({Scope.CUSTOMERS_WRITE}),
        _APPROVAL,
    ),
)

DUTIES: Final[Sequence[Duty]] = (
    *_PROCEDURES,
    Duty(
        "key_administrator_acts",
        "who administers keys does none of these",
        frozenset({Scope.KEYS_WRITE}),
        frozenset().union(*(duty.these | duty.those for duty in _PROCEDURES)),
    ),
    Duty(
        "auditor_decides",
        "who audits decisions takes none",
        frozenset({Scope.AUDITS_WRITE}),
        frozenset().union(*(duty.those for duty in _PROCEDURES)),
    ),
)
"""Every rule, those that look at one procedure first."""


def conflicts(scopes: Collection[Scope]) -> tuple[DutyConflict, ...]:
    """The duties that somebody with these scopes breaks. `admin` is every scope, so it breaks them all."""
    held = frozenset(Scope) if Scope.ADMIN in scopes else frozenset(scopes)
    return tuple(
        DutyConflict(duty, tuple(sorted(held & (duty.these | duty.those))))
        for duty in DUTIES
        if held & duty.these and held & duty.those
    )


def bundle_faults(bundles: Bundles) -> list[str]:
    """What no role may be: everything, or more than one person should hold."""
    everything = [f"{role} can't have admin" for role, scopes in bundles.items() if Scope.ADMIN in scopes]
    broken = [
        f"{role} can't have {' and '.join(found.scopes)}: {found.duty.rule}"
        for role, scopes in bundles.items()
        if Scope.ADMIN not in scopes
        for found in conflicts(scopes)
    ]
    return [*everything, *broken]
