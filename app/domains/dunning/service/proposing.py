"""Proposes notices: goes through a segment's customers, a page a transaction, and writes down who gets what and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from app.domains.dunning.core.drafting import Draft, DraftLine, draft
from app.domains.dunning.core.events import DunningNoticeProposed
from app.domains.dunning.core.interest import Statutes
from app.domains.dunning.core.notices import NoticeState
from app.domains.dunning.core.procedure import Decision, channels_of, decide
from app.domains.dunning.repository import notices as repository
from app.domains.dunning.service import gathering
from app.domains.dunning.service.gathering import Case
from app.domains.dunning.tables import DunningLineRow, DunningNoticeRow, DunningRunRow, DunningSkipRow
from app.domains.policies import service as policies
from app.domains.receivables import service as receivables
from app.infra.transaction import Transaction

PAGE: Final = 500
LATEST_LOOK_AHEAD: Final = timedelta(days=90)
"""The longest time before the due day that a policy may remind: see `FriendlyReminder`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A customer who gets nothing; `reason` is a code of `Reason`, or of why no policy holds."""

    customer_id: str
    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A customer who gets a notice."""

    case: Case
    draft: Draft


@dataclass(frozen=True, slots=True)
class Page:
    """What a look at a page of customers came to; `last_customer` is null when there are no more."""

    proposed: Sequence[Proposed] = field(default_factory=list)
    skipped: Sequence[Skipped] = field(default_factory=list)
    last_customer: str | None = None


async def look(tx: Transaction, *, segment: str, on: date, after_customer: str, limit: int = PAGE) -> Page:
    """Decides about the next customers behind `after_customer`; writes nothing."""
    ahead = await _look_ahead(tx, segment)
    dues = await receivables.dunnable(
        tx, segment=segment, on=on - timedelta(days=1) + ahead, after_customer=after_customer, limit=limit
    )
    law = await gathering.law(tx)
    proposed: list[Proposed] = []
    skipped: list[Skipped] = []
    for case in await gathering.cases(tx, segment=segment, dues=dues, on=on):
        outcome = _decided(case, on, law)
        if isinstance(outcome, Proposed):
            proposed.append(outcome)
        elif outcome.reason != "not_due":
            skipped.append(outcome)
    return Page(proposed, skipped, dues[-1].customer_id if len(dues) == limit else None)


async def propose_page(tx: Transaction, run: DunningRunRow) -> Page:
    """Looks at the next customers of `run`, whose row is locked, and writes down what comes of it.

    Two runs never look at a segment at the same time: what the one proposes the other finds.
    """
    await repository.lock_segment(tx.session, run.segment)
    page = await look(tx, segment=run.segment, on=run.run_on, after_customer=run.after_customer)
    written = [_rows(tx, run, proposed) for proposed in page.proposed]
    await repository.add_all(tx.session, DunningNoticeRow, [notice for notice, _ in written])
    await repository.add_all(tx.session, DunningLineRow, [line for _, lines in written for line in lines])
    skips = [
        {"run_id": run.id, "customer_id": skip.customer_id, "reason": skip.reason, "until": skip.until}
        for skip in page.skipped
    ]
    await repository.add_all(tx.session, DunningSkipRow, skips)
    for notice, _ in written:
        tx.emit(_proposed_event(notice))
    run.notices += len(written)
    run.skipped += len(skips)
    run.is_complete = page.last_customer is None
    run.after_customer = page.last_customer or run.after_customer
    await tx.session.flush()
    return page


async def _look_ahead(tx: Transaction, segment: str) -> timedelta:
    """How long before its due day an item can be reminded of by the segment's policy, its profiles and overrides."""
    document = (await policies.active(tx, segment=segment)).document
    overrides = await policies.patches_in_force(tx, segment=segment)
    parts = (document, *(document.get("profiles") or {}).values(), *overrides)
    reminds_early = any((part.get("dunning") or {}).get("reminder") for part in parts)
    return LATEST_LOOK_AHEAD if reminds_early else timedelta(0)


def _decided(case: Case, on: date, law: Statutes) -> Proposed | Skipped:
    if case.policy is None:
        return Skipped(case.facts.customer_id, "policy_unfit")
    decision: Decision = decide(case.facts, case.rules, on)
    if not decision.is_notice:
        return Skipped(case.facts.customer_id, decision.reason.value, decision.until)
    return Proposed(case, draft(case.facts, decision, case.rules, on=on, statutes=law, earlier=case.earlier))


# ---- rows ------------------------------------------------------------------------------------------------------------


def _rows(tx: Transaction, run: DunningRunRow, proposed: Proposed) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    case, made, notice_id = proposed.case, proposed.draft, tx.new_id()
    assert case.policy is not None, "without a policy nothing is proposed"
    notice = {
        "id": notice_id,
        "run_id": run.id,
        "segment": run.segment,
        "account_id": case.facts.account_id,
        "customer_id": case.facts.customer_id,
        "reference": f"DN-{run.run_on:%Y%m%d}-{notice_id.hex[-12:].upper()}",
        "state": NoticeState.PROPOSED.value,
        "level": made.level,
        "run_on": run.run_on,
        "deadline_on": made.deadline_on,
        "channels": [channel.value for channel in channels_of(made.rule)],
        "template": made.rule.template,
        "note": None,
        "effect": made.rule.effect.value,
        "totals": [total.document for total in made.totals],
        "rates": [dict(rate) for rate in made.rates],
        "policy_version": case.policy.version,
        "override_id": case.policy.override_id,
        "next_attempt_at": tx.now,
        "failures": [],
        "created_at": tx.now,
        "changed_at": tx.now,
    }
    return notice, line_rows(notice_id, case.facts.account_id, made)


def line_rows(notice_id: UUID, account_id: UUID, made: Draft) -> list[dict[str, Any]]:
    """The lines of a notice as they are stored."""
    return [_line_row(notice_id, account_id, line) for line in made.lines]


def _line_row(notice_id: UUID, account_id: UUID, made: DraftLine) -> dict[str, Any]:
    line, item = made.line, made.line.item
    return {
        "notice_id": notice_id,
        "item_id": item.item_id,
        "due_on": item.due_on,
        "account_id": account_id,
        "invoice_no": item.invoice_no,
        "issued_on": item.issued_on,
        "currency": item.currency,
        "amount": item.amount,
        "open_amount": item.open,
        "disputed": line.disputed,
        "promised": line.promised,
        "asked": line.asked,
        "level": line.level,
        "is_raised": line.is_raised,
        "is_live": True,
        "interest": made.interest.amount,
        "interest_from": made.interest_from,
        "interest_until": made.interest_until,
        "compensation": made.compensation,
    }


def _proposed_event(notice: dict[str, Any]) -> DunningNoticeProposed:
    return DunningNoticeProposed(
        subject_id=str(notice["id"]),
        segment=notice["segment"],
        customer_id=notice["customer_id"],
        after={
            "state": notice["state"],
            "level": notice["level"],
            "reference": notice["reference"],
            "run_id": str(notice["run_id"]),
            "totals": notice["totals"],
        },
    )
