"""Holds: reasons to stop an account, one a source; the strongest counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

MANUAL: Final = "manual"
"""The source of a hold that a person sets by hand."""


class HoldKind(StrEnum):
    """How hard an account is stopped: a soft hold refers, a forced hold declines and beats every release."""

    NONE = "none"
    SOFT = "soft"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Hold:
    """One source's reason to stop an account; `kind` is never none."""

    source: str
    kind: HoldKind
    reason: str
    set_by: str
    set_at: datetime


_STRENGTH = {HoldKind.NONE: 0, HoldKind.SOFT: 1, HoldKind.FORCED: 2}


def strongest(kinds: Iterable[HoldKind]) -> HoldKind:
    """The hold that counts when several sources have set one."""
    return max(kinds, key=_STRENGTH.__getitem__, default=HoldKind.NONE)
