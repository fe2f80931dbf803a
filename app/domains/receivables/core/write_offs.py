"""Write-offs: claims that are given up as bad debt, and what is recovered of them after all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class WriteOffKind(StrEnum):
    """Whether a claim was given up or came back."""

    WRITE_OFF = "write_off"
    RECOVERY = "recovery"


class BadDebtReason(StrEnum):
    """Why a claim is given up."""

    INSOLVENCY = "insolvency"
    UNCOLLECTABLE = "uncollectable"
    COMPROMISE = "compromise"
    TIME_BARRED = "time_barred"
    UNECONOMIC = "uneconomic"
    FRAUD = "fraud"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """`amount` of an item, in its currency, given up or, for a recovery, open again; `category` is null for that."""

    id: UUID
    item_id: UUID
    kind: WriteOffKind
    amount: Decimal
    category: BadDebtReason | None
    reason: str
    effective_on: date
    made_by: str
    made_at: datetime
