"""Adverse events that are not resolved. Without any on file nothing is known: that nobody looked is no merit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.domains.assessments.core.factors.asked import Asked, Reading, reading
from app.domains.assessments.core.facts import Adverse
from app.domains.credit_data.core.references import AdverseKind
from app.domains.policies.core.factors import Factor, Independence

SOURCE: Final = "adverse events"


def adverse_severity(asked: Asked) -> Reading | None:
    """The severity of the gravest event, from 1 to 5."""
    return _of(_unresolved(asked), lambda events: max(event.severity for event in events))


def adverse_count(asked: Asked) -> Reading | None:
    """How many events there are."""
    return _of(_unresolved(asked), len)


def insolvency(asked: Asked) -> Reading | None:
    """How many of the events are insolvencies."""
    return _of([event for event in _unresolved(asked) if event.kind is AdverseKind.INSOLVENCY], len)


def _unresolved(asked: Asked) -> Sequence[Adverse]:
    on = asked.facts.on
    return [
        event
        for event in asked.facts.adverse
        if asked.is_current(event.occurred_on) and (event.resolved_on is None or event.resolved_on > on)
    ]


def _of(events: Sequence[Adverse], figure: Callable[[Sequence[Adverse]], int]) -> Reading | None:
    if not events:
        return None
    return reading(figure(events), SOURCE, Independence.AGENCY, max(event.occurred_on for event in events))


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    Factor.ADVERSE_SEVERITY: adverse_severity,
    Factor.ADVERSE_COUNT: adverse_count,
    Factor.INSOLVENCY: insolvency,
}
