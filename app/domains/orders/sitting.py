"""A sitting of the desk: one batch of checks, decided one after another on the same positions in memory.

No input or output: it is given what one read found and says what one write has to do. What it can't decide from that,
it says by name, and the desk fetches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.domains.customers.core.terms import DueFrom, PaymentTerms, TermsKind
from app.domains.exposure import records
from app.domains.exposure.core.account import Account, Basis, Group
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.exposure.core.positions import Positions
from app.domains.exposure.core.refusals import AccountNotFound
from app.domains.orders.answers import render_answer
from app.domains.orders.core.decide import decide
from app.domains.orders.core.decision import Decision
from app.domains.orders.core.facts import CheckFacts
from app.domains.orders.core.gathering import Surroundings, gathered
from app.domains.orders.core.outcome import carry_out
from app.domains.orders.desk_sql import Lock, Wanted, Writes
from app.domains.orders.records import Decided, Question, check_values, event_values, key_values
from app.domains.policies.core.compiled import EffectivePolicy, PolicyShelf
from app.domains.policies.core.refusals import PolicyMissing
from app.infra.clock import new_id
from app.kernel.errors import Refusal
from app.kernel.periods import local_day
from app.kernel.records import changed
from app.support.idempotency.core import KeyReused

NO_QUOTES: Final[Quotes] = {}


@dataclass(frozen=True, slots=True)
class Answered:
    """The check was decided, now or under the same key before: the body to send."""

    body: bytes
    replayed: bool = False
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The check can't be decided, by name."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Unready:
    """Something must be fetched or refreshed first: a policy, or the account's standing facts."""

    policy: PolicyPart | None = None


class PolicyPart(NamedTuple):
    """What names a customer's effective policy."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None


Result = Answered | Refused | Unready


@dataclass(slots=True)
class _Party:
    """What the batch knows of one account's surroundings."""

    account_id: UUID
    policy: PolicyPart
    around: Surroundings


@dataclass(slots=True)
class Findings:
    """What one read found for a batch: rows in the order of the questions, replaced orders, and exchange rates."""

    rows: Sequence[Any]
    now: datetime
    replaced: Sequence[Any] = ()
    quotes: Mapping[date, Quotes] = field(default_factory=dict)


class Sitting:
    """Decides the questions of one batch in their order and collects what must be written."""

    def __init__(self, questions: Sequence[Question], findings: Findings, shelf: PolicyShelf) -> None:
        self._questions = questions
        self._rows = findings.rows
        self._now = findings.now
        self._quotes = findings.quotes
        self._shelf = shelf
        self._days: dict[ZoneInfo, date] = {}
        self._policies: dict[PolicyPart, EffectivePolicy] = {}
        self._bases: dict[tuple[int, str, str, date], Basis] = {}
        self._parties: dict[tuple[str, str], _Party | Refusal] = {}
        self._answers: dict[tuple[str, str], tuple[bytes, Answered]] = {}
        self._unready: set[tuple[str, str]] = set()
        self._pending: dict[UUID, dict[str, Any]] = {}
        self._decided: list[Decided] = []
        self._positions = self._read(findings)
        self._accounts_read = dict(self._positions.accounts)
        self._groups_read = dict(self._positions.groups)

    def results(self) -> list[Result]:
        """The result of each question, in order. An account that is not ready holds back all its questions."""
        return [self._result(number) for number in range(len(self._questions))]

    def locks_of(self, number: int) -> frozenset[Lock]:
        """The account and the group that question `number` needs to have locked."""
        party = self._parties.get(self._questions[number].account_key)
        if not isinstance(party, _Party):
            return frozenset()
        group_id = self._positions.accounts[party.account_id].group_id
        locks = {("account", party.account_id)} | ({("group", group_id)} if group_id else set())
        return frozenset(locks)

    def writes(self) -> Writes | None:
        """What must be written for the answers to hold; null where nothing was decided."""
        if not self._decided:
            return None
        positions, now = self._positions, self._now
        touched = sorted(positions.touched_orders)
        orders = {key: records.commitment_values(positions.orders[key], now) for key in touched}
        return Writes(
            now=now,
            accounts_read={a: self._accounts_read[a].version for a in positions.touched_accounts},
            groups_read={g: self._groups_read[g].version for g in positions.touched_groups},
            accounts=[records.account_values(positions.accounts[a], now) for a in positions.touched_accounts],
            groups=[records.group_values(positions.groups[g]) for g in positions.touched_groups],
            ledger=records.line_values(positions, now),
            new_orders=[orders[key] for key in touched if key not in positions.stored_orders],
            orders=[orders[key] for key in touched if key in positions.stored_orders],
            superseded=[done.supersedes for done in self._decided if done.supersedes],
            checks=[done.check for done in self._decided],
            facts=[done.facts for done in self._decided],
            answers=[done.body.decode() for done in self._decided],
            keys=[key_values(n, done) for n, done in enumerate(self._decided, 1) if done.question.key],
            events=[done.event for done in self._decided],
            freed=self._freed(),
            referring=[done.check["account_id"] for done in self._decided if done.check["review"] == "open"],
        )

    def _freed(self) -> list[UUID]:
        """The accounts that have more room than before: an order was lowered, replaced, or asks for less."""
        accounts, before = self._positions.accounts, self._accounts_read
        touched = self._positions.touched_accounts
        return [each for each in touched if accounts[each].has_more_room_than(before[each])]

    # ---- reading -------------------------------------------------------------------------------------------

    def _read(self, findings: Findings) -> Positions:
        accounts: list[Account] = []
        groups: dict[UUID, Group] = {}
        orders = {}
        for question, row in zip(self._questions, findings.rows, strict=True):
            if question.account_key not in self._parties:
                self._parties[question.account_key] = self._party(question, row)
                if row["account"] is not None:
                    accounts.append(records.account_from(row["account"]))
                if row["grouped"] is not None:
                    group = records.group_from(_with_json(row["grouped"], "totals"))
                    groups[group.id] = group
            if row["ordered"] is not None:
                order = records.commitment_from(_with_json(row["ordered"], "release"))
                orders[order.key] = order
        for record in findings.replaced:
            order = records.commitment_from(_with_json(record, "release"))
            orders[order.key] = order
        return Positions(accounts, groups.values(), orders.values())

    def _party(self, question: Question, row: Any) -> _Party | Refusal:
        customer_id, segment = question.account_key
        if row["account"] is None:
            return AccountNotFound(f"{customer_id} has no account in segment {segment}")
        if row["policy_version"] is None:
            return PolicyMissing(f"no version of {segment!r} is active")
        zone, override_id = _zone(row["zone"]), row["override_id"]
        today = self._today(zone)
        if override_id is not None and today > row["override_until"]:
            override_id = None
        terms = _terms(
            row["terms_kind"], row["net_days"], row["due_from"], row["discount_percent"], row["discount_days"]
        )
        currency = row["segment_currency"]
        return _Party(
            account_id=row["account"]["id"],
            policy=PolicyPart(segment, row["policy_version"], row["profile"], override_id),
            around=Surroundings(self._now, today, zone, currency, terms, self._quotes.get(today, NO_QUOTES)),
        )

    def _today(self, zone: ZoneInfo) -> date:
        today = self._days.get(zone)
        if today is None:
            today = self._days[zone] = local_day(self._now, zone)
        return today

    # ---- deciding ------------------------------------------------------------------------------------------

    def _result(self, number: int) -> Result:
        question, row = self._questions[number], self._rows[number]
        try:
            kept = self._kept(question, row)
            if kept is not None:
                return kept
            party = self._parties[question.account_key]
            if isinstance(party, Refusal):
                return Refused(party)
            if question.account_key in self._unready:
                return Unready()
            result = self._decide(question, party)
        except Refusal as refusal:
            return Refused(refusal)
        if isinstance(result, Unready):
            self._unready.add(question.account_key)
        return result

    def _kept(self, question: Question, row: Any) -> Answered | None:
        """The answer given before under the question's key, in this batch or in any before it."""
        if question.key is None:
            return None
        if row["fingerprint"] is not None:
            _same(row["fingerprint"], question)
            return Answered(row["body"], replayed=True)
        earlier = self._answers.get((question.caller, question.key))
        if earlier is None:
            return None
        _same(earlier[0], question)
        return changed(earlier[1], replayed=True)

    def _decide(self, question: Question, party: _Party) -> Result:
        effective, around = self._effective(party.policy), party.around
        if effective is None:
            return Unready(party.policy)
        account = self._positions.accounts[party.account_id]
        group = self._positions.group_of(account)
        basis = self._basis(effective, around, account.currency)
        if not account.is_fresh(self._now, basis) or (group is not None and group.fresh_until <= self._now):
            return Unready()
        facts = gathered(self._positions, question.request, around)
        decision = decide(facts, effective.policy)
        check_id = new_id(self._now)
        supersedes = carry_out(
            self._positions, facts, decision, check_id=check_id, counts_until=basis.counts_until(around.on)
        )
        self._shorten_freshness(party.account_id, decision)
        return self._settle(question, facts, decision, check_id, effective, supersedes)

    def _effective(self, part: PolicyPart) -> EffectivePolicy | None:
        """The policy that `part` names, null where it is not at hand; most of a batch shares one."""
        effective = self._policies.get(part)
        if effective is None:
            policy = self._shelf.peek(*part)
            if policy is None:
                return None
            effective = self._policies[part] = EffectivePolicy(*part, policy)
        return effective

    def _basis(self, effective: EffectivePolicy, around: Surroundings, currency: str) -> Basis:
        """What the standing facts of an account in `currency` have to be computed with."""
        key = (id(effective), around.segment_currency, currency, around.on)
        basis = self._bases.get(key)
        if basis is None:
            rate = rate_between(around.quotes, around.segment_currency, currency)
            basis = self._bases[key] = Basis.of(effective.policy.order_checks, rate)
        return basis

    def _shorten_freshness(self, account_id: UUID, decision: Decision) -> None:
        """The account must be looked at again when the new reservation runs out."""
        account, reservation = self._positions.accounts[account_id], decision.reservation
        if reservation is not None and reservation.expires_at < account.fresh_until:
            self._positions.put(changed(account, fresh_until=reservation.expires_at))

    # ---- recording -----------------------------------------------------------------------------------------

    def _settle(
        self,
        question: Question,
        facts: CheckFacts,
        decision: Decision,
        check_id: UUID,
        policy: EffectivePolicy,
        supersedes: UUID | None,
    ) -> Answered:
        version = self._positions.accounts[facts.account.id].version
        body = render_answer(facts, decision, check_id=check_id, policy=policy, account_version=version)
        check = check_values(question, facts, decision, check_id=check_id, policy=policy)
        if supersedes in self._pending:
            self._pending[supersedes]["review"] = "superseded"
            supersedes = None
        self._pending[check_id] = check
        event = event_values(question, facts, decision, check_id)
        self._decided.append(
            Decided(question, check, orjson.dumps(facts, default=str).decode(), body, event, supersedes)
        )
        answered = Answered(body, decision=decision)
        if question.key is not None:
            self._answers[question.caller, question.key] = (question.fingerprint, answered)
        return answered


def _same(fingerprint: bytes, question: Question) -> None:
    if fingerprint != question.fingerprint:
        raise KeyReused("send another key with another request")


def _with_json(record: Any, member: str) -> dict[str, Any]:
    """A composite value as the driver gives it, its JSON member parsed."""
    values = dict(record)
    if isinstance(values[member], str):
        values[member] = orjson.loads(values[member])
    return values


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _terms(kind: str, net_days: int, due_from: str, discount_percent: Decimal, discount_days: int) -> PaymentTerms:
    """A company grants few different terms: each is made once."""
    return PaymentTerms(TermsKind(kind), net_days, DueFrom(due_from), discount_percent, discount_days)


def wanted(questions: Sequence[Question]) -> list[Wanted]:
    """The lines of the read for `questions`."""
    led: set[tuple[str, str]] = set()
    lines = []
    for number, question in enumerate(questions):
        request, lead = question.request, question.account_key not in led
        led.add(question.account_key)
        lines.append(
            Wanted(number, lead, request.customer_id, request.segment, request.order_ref, question.caller, question.key)
        )
    return lines


def needs_quotes(rows: Sequence[Any], questions: Sequence[Question]) -> bool:
    """Whether any check of the batch meets a second currency."""
    currencies = {question.request.currency for question in questions}
    for row in rows:
        account, grouped = row["account"], row["grouped"]
        if account is not None:
            currencies.add(account["currency"])
            currencies.add(row["segment_currency"])
        if grouped is not None:
            currencies |= {grouped["currency"], *_with_json(grouped, "totals")["totals"]}
    return len(currencies) > 1
