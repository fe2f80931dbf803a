"""Runs and notices on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.domains.dunning.core.notices import NoticeState, RunState
from app.domains.dunning.service.proposing import Proposed, Skipped
from app.domains.dunning.service.runs import Preview, RunView
from app.domains.dunning.tables import DunningLineRow, DunningNoticeRow, DunningRunRow, DunningSkipRow
from app.domains.policies.core.dunning import DunningChannel
from app.infra.http.fields import BusinessDay, Flag, MoneyText, Prose, SegmentName, Wire
from app.kernel.money import render


class RunIn(Wire):
    """A run on `run_on` (default: today). A dry run, which may look ahead, writes nothing."""

    segment: SegmentName = "main"
    run_on: BusinessDay | None = None
    dry_run: Flag = False


class TotalOut(Wire):
    """What a notice asks for in one currency; `net_due` is what is to be paid."""

    currency: str
    items: MoneyText
    interest: MoneyText
    fee: MoneyText
    compensation: MoneyText
    earlier_claims: MoneyText
    credits: MoneyText
    net_due: MoneyText


class LineOut(Wire):
    """An item in a notice, in its currency; `asked` is what is to be paid of it, `raised`: it went up a level."""

    invoice_no: str
    due_on: date
    days_overdue: int
    level: int | None
    raised: bool
    currency: str
    open: MoneyText
    disputed: MoneyText
    promised: MoneyText
    asked: MoneyText
    interest: MoneyText
    compensation: MoneyText


class NoticeBriefOut(Wire):
    """A notice in a list; without `id` it is only what a dry run would propose."""

    id: UUID | None
    customer_id: str
    state: NoticeState
    level: int
    reference: str | None
    channel: DunningChannel | None
    template: str
    deadline_on: date
    totals: list[TotalOut]


class FailureOut(Wire):
    """A channel that did not work."""

    channel: str
    reason: str
    at: datetime


class RateOut(Wire):
    """A rate that interest was charged by, with the days it was used for; without `percent` none was known."""

    reference: str | None
    valid_from: date | None
    reference_percent: str | None
    percent: str | None
    first: date
    last: date


class DocumentOut(Wire):
    """What was sent, by its digest (SHA-256), and to which contacts; `kept`: none of them has been erased."""

    channel: DunningChannel
    contact_ids: list[UUID]
    kept: bool
    media_type: str
    digest: str
    sent_at: datetime


class NoticeOut(NoticeBriefOut):
    """A notice, all of it."""

    id: UUID
    run_id: UUID
    segment: str
    run_on: date
    channels: list[DunningChannel]
    note: str | None
    lines: list[LineOut]
    rates: list[RateOut]
    policy_version: int
    sent_by: DunningChannel | None
    sent_at: datetime | None
    printed_at: datetime | None
    failures: list[FailureOut]
    documents: list[DocumentOut]
    dropped_by: str | None
    drop_reason: str | None
    created_at: datetime
    changed_at: datetime


class SkippedOut(Wire):
    """A customer with something due who gets nothing, why, and until when where that is known."""

    customer_id: str
    reason: str
    until: date | None


class RunBriefOut(Wire):
    """A run. `complete`: it has looked at every customer; until then jobs go on with it and it can't be released."""

    id: UUID | None
    segment: str
    run_on: date
    dry_run: bool
    state: RunState
    origin: str
    complete: bool
    notice_count: int
    skipped_count: int
    created_by: str | None
    created_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    ended_at: datetime | None


class RunOut(RunBriefOut):
    """A run with its first 500 notices, and the first 500 customers that it skipped; the lists have them all."""

    notices: list[NoticeBriefOut]
    skipped: list[SkippedOut]


class NoticeChangeIn(Wire):
    """Other channels for a notice, tried in this order, or a few words that are printed on it."""

    channels: Annotated[tuple[DunningChannel, ...], Field(min_length=1, max_length=4)] | None = None
    note: Prose | None = None


class ReasonIn(Wire):
    """Why."""

    reason: Prose


def run_out(view: RunView) -> RunOut:
    """A run as an answer."""
    return RunOut(
        **_run(view.run),
        notices=[notice_brief(notice) for notice in view.notices],
        skipped=[skipped_out(skip) for skip in view.skipped],
    )


def run_brief(run: DunningRunRow) -> RunBriefOut:
    """A run in a list."""
    return RunBriefOut(**_run(run))


def preview_out(preview: Preview) -> RunOut:
    """What a dry run would propose."""
    proposed = [each for page in preview.pages for each in page.proposed]
    skipped = [each for page in preview.pages for each in page.skipped]
    return RunOut(
        id=None,
        segment=preview.segment,
        run_on=preview.run_on,
        dry_run=True,
        state=RunState.PROPOSED,
        origin="person",
        complete=preview.is_complete,
        notice_count=len(proposed),
        skipped_count=len(skipped),
        created_by=None,
        created_at=None,
        released_by=None,
        released_at=None,
        ended_at=None,
        notices=[_would_be(each) for each in proposed[:500]],
        skipped=[skipped_out(each) for each in skipped[:500]],
    )


def notice_brief(notice: DunningNoticeRow) -> NoticeBriefOut:
    """A notice in a list."""
    return NoticeBriefOut(**_brief(notice))


def notice_out(
    notice: DunningNoticeRow, lines: Sequence[DunningLineRow], documents: Sequence[DocumentOut]
) -> NoticeOut:
    """A notice as an answer."""
    return NoticeOut(
        **_brief(notice),
        run_id=notice.run_id,
        segment=notice.segment,
        run_on=notice.run_on,
        channels=[DunningChannel(channel) for channel in notice.channels],
        note=notice.note,
        lines=[_line(line, notice.run_on) for line in lines],
        rates=[RateOut(**_dated(rate)) for rate in notice.rates],
        policy_version=notice.policy_version,
        sent_by=DunningChannel(notice.sent_by) if notice.sent_by else None,
        sent_at=notice.sent_at,
        printed_at=notice.printed_at,
        failures=[FailureOut(**failure | {"at": datetime.fromisoformat(failure["at"])}) for failure in notice.failures],
        documents=list(documents),
        dropped_by=notice.dropped_by,
        drop_reason=notice.drop_reason,
        created_at=notice.created_at,
        changed_at=notice.changed_at,
    )


def skipped_out(skip: DunningSkipRow | Skipped) -> SkippedOut:
    """Who got nothing, as an answer."""
    return SkippedOut(customer_id=skip.customer_id, reason=skip.reason, until=skip.until)


def _run(run: DunningRunRow) -> dict[str, Any]:
    return {
        "id": run.id,
        "segment": run.segment,
        "run_on": run.run_on,
        "dry_run": False,
        "state": RunState(run.state),
        "origin": run.origin,
        "complete": run.is_complete,
        "notice_count": run.notices,
        "skipped_count": run.skipped,
        "created_by": run.created_by,
        "created_at": run.created_at,
        "released_by": run.released_by,
        "released_at": run.released_at,
        "ended_at": run.ended_at,
    }


def _brief(notice: DunningNoticeRow) -> dict[str, Any]:
    channel = notice.sent_by or (notice.channels[0] if notice.channels else None)
    return {
        "id": notice.id,
        "customer_id": notice.customer_id,
        "state": NoticeState(notice.state),
        "level": notice.level,
        "reference": notice.reference,
        "channel": DunningChannel(channel) if channel else None,
        "template": notice.template,
        "deadline_on": notice.deadline_on,
        "totals": [TotalOut(**total) for total in notice.totals],
    }


def _would_be(proposed: Proposed) -> NoticeBriefOut:
    made = proposed.draft
    return NoticeBriefOut(
        id=None,
        customer_id=proposed.case.facts.customer_id,
        state=NoticeState.PROPOSED,
        level=made.level,
        reference=None,
        channel=made.rule.channel,
        template=made.rule.template,
        deadline_on=made.deadline_on,
        totals=[TotalOut(**total.document) for total in made.totals],
    )


def _line(line: DunningLineRow, on: date) -> LineOut:
    amounts = {
        "open": line.open_amount,
        "disputed": line.disputed,
        "promised": line.promised,
        "asked": line.asked,
        "interest": line.interest,
        "compensation": line.compensation,
    }
    return LineOut(
        invoice_no=line.invoice_no,
        due_on=line.due_on,
        days_overdue=max((on - line.due_on).days, 0),
        level=line.level,
        raised=line.is_raised,
        currency=line.currency,
        **{name: render(amount, line.currency) for name, amount in amounts.items()},
    )


def _dated(rate: dict[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(rate[name]) for name in ("first", "last")}
    valid_from = date.fromisoformat(rate["valid_from"]) if rate["valid_from"] else None
    return rate | days | {"valid_from": valid_from}
