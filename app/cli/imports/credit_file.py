"""Statements, reports and covers of a file: requests of lines, and their way into the credit files of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.cli.imports.outcomes import Result, outcome
from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.covers import Cover
from app.domains.credit_data.core.reports import CreditReport
from app.domains.credit_data.core.statements import FIGURES, FinancialStatement
from app.domains.credit_data.schemas.covers import CoverIn
from app.domains.credit_data.schemas.reports import ReportIn
from app.domains.credit_data.schemas.statements import StatementIn
from app.infra.http.fields import BusinessDay, Reference, Wire
from app.infra.transaction import Transaction


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """A financial statement of a customer."""

    customer_id: str
    statement: FinancialStatement
    source: str


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """An agency's report on a customer."""

    customer_id: str
    report: CreditReport


@dataclass(frozen=True, slots=True)
class CoverRequest:
    """A cover of a customer in a segment."""

    customer_id: str
    segment: str
    cover_ref: str
    cover: Cover


class _CustomerLine(Wire):
    """What a line says beside the body of a request: of whom."""

    customer_id: Reference


class _StatementLine(_CustomerLine):
    period_end: BusinessDay


class _CoverLine(_CustomerLine):
    cover_ref: Reference


def statement(fields: Mapping[str, str]) -> StatementRequest:
    """The request of a line of statements. Raises `ValidationError`."""
    said: dict[str, Any] = dict(fields)
    line = _StatementLine.model_validate({name: said.pop(name) for name in ("customer_id", "period_end")})
    said["figures"] = {name: said.pop(name) for name in FIGURES if name in said}
    if "months" in said:
        said["months"] = int(said["months"])
    if "audited" in said:
        said["audited"] = said["audited"] == "true"
    found = StatementIn.model_validate(said)
    period_end: date = line.period_end
    return StatementRequest(line.customer_id, found.statement(period_end), found.source)


def report(fields: Mapping[str, str]) -> ReportRequest:
    """The request of a line of reports. Raises `ValidationError`."""
    said: dict[str, Any] = dict(fields)
    line = _CustomerLine.model_validate({"customer_id": said.pop("customer_id")})
    scale = {name.removeprefix("scale_"): said.pop(name) for name in ("scale_min", "scale_max") if name in said}
    if "higher_is_better" in said:
        scale["higher_is_better"] = said.pop("higher_is_better") == "true"
    if scale:
        said["scale"] = scale
    if "recommended_limit" in said or "recommended_currency" in said:
        limit = {"amount": said.pop("recommended_limit", None), "currency": said.pop("recommended_currency", None)}
        said["recommended_limit"] = {name: value for name, value in limit.items() if value is not None}
    return ReportRequest(line.customer_id, ReportIn.model_validate(said).report())


def cover(fields: Mapping[str, str]) -> CoverRequest:
    """The request of a line of covers. Raises `ValidationError`."""
    said: dict[str, Any] = dict(fields)
    line = _CoverLine.model_validate({name: said.pop(name) for name in ("customer_id", "cover_ref")})
    found = CoverIn.model_validate(said)
    return CoverRequest(line.customer_id, found.segment, line.cover_ref, found.cover())


async def post_statements(tx: Transaction, requests: Sequence[StatementRequest]) -> Sequence[Result]:
    """Each becomes what is known of its period, as by `PUT …/financial-statements/…`."""
    return [
        outcome(
            (
                await credit_data.put_statement(
                    tx, customer_id=request.customer_id, statement=request.statement, source=request.source
                )
            ).changed
        )
        for request in requests
    ]


async def post_reports(tx: Transaction, requests: Sequence[ReportRequest]) -> Sequence[Result]:
    """Each is entered once, as by `POST …/credit-reports`."""
    return [
        outcome((await credit_data.enter_report(tx, customer_id=request.customer_id, report=request.report)).changed)
        for request in requests
    ]


async def post_covers(tx: Transaction, requests: Sequence[CoverRequest]) -> Sequence[Result]:
    """Each becomes what is known under its reference, as by `PUT …/covers/…`."""
    return [
        outcome(
            (
                await credit_data.put_cover(
                    tx,
                    customer_id=request.customer_id,
                    segment=request.segment,
                    cover_ref=request.cover_ref,
                    cover=request.cover,
                )
            ).changed
        )
        for request in requests
    ]
