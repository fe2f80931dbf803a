"""Credit checks as they were stored: look them up, decide them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.domains.exposure import service as exposure
from app.domains.exposure.core.commitments import Commitment
from app.domains.orders import repository
from app.domains.orders.answers import render_answer
from app.domains.orders.core.decide import decide
from app.domains.orders.core.facts import CheckFacts
from app.domains.orders.core.orders import standing
from app.domains.orders.core.refusals import CreditCheckNotFound
from app.domains.orders.repository import CheckFilter, StoredCheck
from app.domains.orders.service import stakes
from app.domains.orders.service.stakes import Work
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.records import RecordMalformed, load
from app.support.auth.core.principals import Principal


@dataclass(frozen=True, slots=True)
class CheckView:
    """A stored check and its order, both as they stand `at`; null where nobody has ever approved or referred it."""

    stored: StoredCheck
    order: Commitment | None
    at: datetime
    work: Work


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that was given, and the one that its stored facts lead to today under its stored policy.

    `differing` names the members that are not the same. Facts that can't be read any more lead to no answer.
    """

    stored: dict[str, Any]
    replayed: dict[str, Any] | None
    differing: Sequence[str]

    @property
    def identical(self) -> bool:
        """Whether the decision can be had again."""
        return not self.differing


async def find(tx: Transaction, *, check_id: UUID, caller: Principal) -> StoredCheck:
    """The check as it is stored. Raises `CreditCheckNotFound`, also for one that the caller may not see."""
    return _seen(await repository.find_check(tx.session, check_id), check_id, caller)


async def lock(tx: Transaction, *, check_id: UUID, caller: Principal) -> StoredCheck:
    """The check, for work on its review alone. Raises `CreditCheckNotFound`, also for one that the caller may not
    see."""
    return _seen(await repository.lock_check(tx.session, check_id), check_id, caller)


async def view(tx: Transaction, *, stored: StoredCheck) -> CheckView:
    """The check with its order as it stands now."""
    return (await _views(tx, [stored]))[0]


async def list_checks(tx: Transaction, *, page: PageRequest, wanted: CheckFilter) -> Slice[CheckView]:
    """Checks in the order in which they were decided."""
    found = await repository.list_checks(tx.session, page, wanted)
    return Slice(await _views(tx, found.rows), found.next_cursor)


async def list_checks_by_stake(
    tx: Transaction, *, page: PageRequest, segment: str, wanted: CheckFilter
) -> Slice[CheckView]:
    """Checks of a segment under review, those first that put most at stake. Raises `CursorMalformed`."""
    found = await stakes.list_by_stake(tx, page=page, segment=segment, wanted=wanted)
    return Slice(await _views(tx, found.rows), found.next_cursor)


async def replay(tx: Transaction, *, stored: StoredCheck) -> Replay:
    """Decides a stored check again, from its stored facts under the policy that decided it."""
    check = stored.check
    policy = await policies.recall(
        tx,
        segment=check.segment,
        version=stored.policy_version,
        profile=stored.policy_profile,
        override_id=stored.policy_override_id,
    )
    given = orjson.loads(stored.answer)
    try:
        facts = facts_of(stored)
    except RecordMalformed:
        return Replay(given, None, ["facts"])
    again = orjson.loads(
        render_answer(
            facts,
            decide(facts, policy.policy),
            check_id=check.id,
            policy=policy,
            account_version=given["account_version"],
        )
    )
    # What answers have learned to say since then is no difference.
    return Replay(given, again, sorted(name for name in given if again.get(name) != given[name]))


def facts_of(stored: StoredCheck) -> CheckFacts:
    """The facts that a check was decided from. Raises `RecordMalformed`."""
    return load(CheckFacts, orjson.loads(stored.facts))


def _seen(stored: StoredCheck | None, check_id: UUID, caller: Principal) -> StoredCheck:
    if stored is None or not caller.sees(stored.check.segment):
        raise CreditCheckNotFound(f"there is no credit check {check_id}")
    return stored


async def _views(tx: Transaction, rows: Sequence[StoredCheck]) -> list[CheckView]:
    filed = await exposure.filed_orders(tx, keys={stored.check.key for stored in rows})
    orders = {key: standing(found.order, tx.now) for key, found in filed.items()}
    work = await stakes.work_on(tx, checks=rows)
    return [CheckView(stored, orders.get(stored.check.key), tx.now, work[stored.check.id]) for stored in rows]
