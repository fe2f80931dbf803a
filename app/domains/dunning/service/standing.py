"""Brings level, hold and notices of customers in line with their items: when something is paid, credited, disputed,
cancelled, opened again, or a notice has gone out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.domains.dunning.core.drafting import draft
from app.domains.dunning.core.events import DunningNoticeChanged, DunningNoticeRevived, DunningNoticeSettled
from app.domains.dunning.core.interest import Statutes
from app.domains.dunning.core.notices import NOTICES, PENDING, NoticeMove, NoticeState
from app.domains.dunning.core.procedure import decide
from app.domains.dunning.repository import notices as repository
from app.domains.dunning.repository import touched
from app.domains.dunning.service import gathering, tasks
from app.domains.dunning.service.gathering import Case
from app.domains.dunning.service.pending import drop, is_under_way
from app.domains.dunning.service.proposing import line_rows
from app.domains.dunning.tables import DunningLineRow, DunningNoticeRow
from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import HoldKind
from app.domains.policies import service as policies
from app.domains.receivables import service as receivables
from app.infra.transaction import Transaction

HOLD_SOURCE: Final = "dunning"


async def bring_in_line(tx: Transaction, *, segment: str, customer_ids: Collection[str]) -> None:
    """Settles, revives, cuts down or drops notices, and says to the account which level the customer is at.

    Costs one look for customers who were never reminded.
    """
    reminded = await touched.reminded(tx.session, segment, customer_ids)
    if not reminded:
        return
    on = await policies.today(tx, segment=segment)
    dues = await receivables.dunnable_of(tx, segment=segment, customer_ids=reminded)
    law = await gathering.law(tx)
    for case in await gathering.cases(tx, segment=segment, dues=dues, on=on):
        await _notices(tx, case, law)
        await restand(tx, case)


async def review_taken(
    tx: Transaction, *, segment: str, customer_ids: Collection[str], notice_ids: Collection[UUID]
) -> None:
    """Drops or corrects notices that were just taken to be sent and are no longer true. Their accounts are locked."""
    dues = await receivables.dunnable_of(tx, segment=segment, customer_ids=customer_ids)
    law = await gathering.law(tx)
    on = await policies.today(tx, segment=segment)
    for case in await gathering.cases(tx, segment=segment, dues=dues, on=on):
        for notice in await touched.notices(tx.session, case.facts.customer_id, segment, ()):
            if notice.id in notice_ids and notice.state == NoticeState.RELEASED:
                lines = await repository.lines_of(tx.session, [notice.id])
                await _review(tx, notice, list(lines), case, law)


async def restand(tx: Transaction, case: Case) -> None:
    """Notes the customer's dunning level on the account, sets or lifts the hold of dunning."""
    customer_id, segment = case.facts.customer_id, case.facts.segment
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    if account.profile.dunning_level != case.highest:
        await exposure.note_risk(tx, customer_id=customer_id, segment=segment, dunning_level=case.highest)
    holding = await exposure.is_held(tx, account_id=account.id, source=HOLD_SOURCE)
    if case.is_holding and not holding:
        reason = f"dunning level {case.highest}"
        await exposure.set_hold(
            tx, customer_id=customer_id, segment=segment, source=HOLD_SOURCE, kind=HoldKind.SOFT, reason=reason
        )
    elif holding and not case.is_holding:
        await exposure.lift_hold(
            tx, customer_id=customer_id, segment=segment, source=HOLD_SOURCE, reason="nothing at that level is open"
        )
    if not case.facts.items:
        await tasks.close_if_nothing_is_due(tx, account_id=case.facts.account_id)


async def _notices(tx: Transaction, case: Case, law: Statutes) -> None:
    still_open = {item.key for item in case.facts.items if item.undisputed > 0}
    found = await touched.notices(
        tx.session, case.facts.customer_id, case.facts.segment, {item_id for item_id, _ in still_open}
    )
    lines = await repository.lines_of(tx.session, [notice.id for notice in found])
    for notice in found:
        own = [line for line in lines if line.notice_id == notice.id]
        if notice.state in PENDING:
            if is_under_way(notice, tx):
                continue  # what is on the wire goes its way
            await _review(tx, notice, own, case, law)
        else:
            is_open = any((line.item_id, line.due_on) in still_open for line in own if line.is_raised)
            _settle_or_revive(tx, notice, is_open=is_open)


async def _review(
    tx: Transaction, notice: DunningNoticeRow, lines: list[DunningLineRow], case: Case, law: Statutes
) -> None:
    """A notice that is not sent yet says what is still true, or is dropped."""
    facts = replace(case.facts, has_pending_notice=False, is_business_day=True)
    decision = decide(facts, case.rules, notice.run_on)
    if decision.level != notice.level:
        await drop(tx, notice, reason=decision.reason.value if not decision.is_notice else "level_changed")
        return
    made = draft(facts, decision, case.rules, on=notice.run_on, statutes=law, earlier=case.earlier)
    totals = [total.document for total in made.totals]
    if totals == notice.totals:
        return
    before = {"totals": notice.totals}
    for line in lines:
        await tx.session.delete(line)
    await tx.session.flush()
    await repository.add_all(tx.session, DunningLineRow, line_rows(notice.id, notice.account_id, made))
    notice.totals, notice.rates, notice.changed_at = totals, [dict(rate) for rate in made.rates], tx.now
    await tx.session.flush()
    tx.emit(
        DunningNoticeChanged(
            subject_id=str(notice.id),
            segment=notice.segment,
            customer_id=notice.customer_id,
            before=before,
            after={"totals": totals},
        )
    )


def _settle_or_revive(tx: Transaction, notice: DunningNoticeRow, *, is_open: bool) -> None:
    move = NoticeMove.REVIVE if is_open else NoticeMove.SETTLE
    before = NoticeState(notice.state)
    if not NOTICES.allows(before, move):
        return
    notice.state, notice.changed_at = NOTICES.after(before, move).value, tx.now
    kind = DunningNoticeRevived if is_open else DunningNoticeSettled
    tx.emit(
        kind(
            subject_id=str(notice.id),
            segment=notice.segment,
            customer_id=notice.customer_id,
            before={"state": before.value},
            after={"state": notice.state},
        )
    )
