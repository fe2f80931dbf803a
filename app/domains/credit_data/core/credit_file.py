"""The credit file: all that was known of a customer at an instant, as an assessment reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domains.credit_data.core.answers import Answer
from app.domains.credit_data.core.covers import Cover
from app.domains.credit_data.core.records import Filed
from app.domains.credit_data.core.references import AdverseEvent, TradeReference
from app.domains.credit_data.core.reports import CreditReport
from app.domains.credit_data.core.statements import FinancialStatement


@dataclass(frozen=True, slots=True)
class CreditFile:
    """What was known at `known_at`: of the customer, and for covers and answers in the segment. Each the latest version
    of then, without what was taken back, ordered by the day it is valid for, newest first.

    `statements` are by the end of their period, `reports` by the day of the report, `adverse_events` by the day they
    occurred.
    """

    customer_id: str
    segment: str
    known_at: datetime
    statements: tuple[Filed[FinancialStatement], ...] = ()
    reports: tuple[Filed[CreditReport], ...] = ()
    trade_references: tuple[Filed[TradeReference], ...] = ()
    adverse_events: tuple[Filed[AdverseEvent], ...] = ()
    covers: tuple[Filed[Cover], ...] = ()
    answers: tuple[Filed[Answer], ...] = ()
