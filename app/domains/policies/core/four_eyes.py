"""The four-eyes principle: what one person asks for, another approves."""

from __future__ import annotations

from collections.abc import Iterable

from app.domains.policies.core.refusals import FourEyes, PersonRequired
from app.kernel.identity import Actor, ActorKind


def require_person(actor: Actor) -> None:
    """Refuses services and Headroom itself. Raises `PersonRequired`."""
    if actor.kind is not ActorKind.PERSON:
        raise PersonRequired(f"{actor.name!r} is a {actor.kind.value}; this needs a person")


def require_second_person(actor: Actor, *, not_one_of: Iterable[str | None]) -> None:
    """Refuses everybody who had a part in what is to be approved, however they spell their name. Raises
    `PersonRequired` or `FourEyes`."""
    require_person(actor)
    if _spelled(actor.name) in {_spelled(name) for name in not_one_of if name is not None}:
        raise FourEyes(f"{actor.name!r} had a part in it and can't approve it")


def _spelled(name: str) -> str:
    return name.strip().casefold()
