"""Assess a customer, look assessments up, and prove that one can be had again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from app.domains.assessments import repository
from app.domains.assessments.core.assessment import Finding
from app.domains.assessments.core.assessment import assess as decide
from app.domains.assessments.core.events import CustomerAssessed
from app.domains.assessments.core.facts import AssessmentFacts, as_document
from app.domains.assessments.core.record import Assessment, Outcome, PolicyUsed
from app.domains.assessments.core.refusals import AssessmentNotFound
from app.domains.assessments.service.gathering import gather
from app.domains.assessments.tables import AssessmentRow
from app.domains.customers import service as customers
from app.domains.customers.core.customer import Customer
from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import AccountOpened
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import EffectivePolicy
from app.domains.policies.core.scorecard import Question
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.digest import digest
from app.kernel.money import render
from app.kernel.records import load


@dataclass(frozen=True, slots=True)
class Replay:
    """An assessment decided again. `differing` names what came out otherwise; empty if nothing did."""

    given: dict[str, Any]
    replayed: dict[str, Any]
    differing: Sequence[str]

    @property
    def identical(self) -> bool:
        """Whether the assessment can be had again."""
        return not self.differing


async def assess(tx: Transaction, *, customer_id: str, segment: str) -> Assessment:
    """Assesses the customer from what is known now, and tells its account, if it has one, grade and day.

    Raises `CustomerNotFound`, `SegmentNotFound`, `PolicyMissing`, `OverrideUnfit`, `ScorecardNotInPolicy`,
    `LimitsNotInPolicy`, `AccountBusy`.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    [made] = await assess_together(tx, of=[customer], segment=segment)
    return made


async def assess_together(tx: Transaction, *, of: Sequence[Customer], segment: str) -> Sequence[Assessment]:
    """Assesses customers as `assess` does one, with as many statements as for one. Who can't be assessed refuses all.

    What others wait for, the accounts, is locked when everything is decided.
    """
    held = await policies.segment(tx, segment=segment)
    rules = await policies.effective_policies(tx, segment=segment, of=of)
    ids = [customer.customer_id for customer in of]
    known = await exposure.known_accounts(tx, keys=[(customer_id, segment) for customer_id in ids])
    accounts = {customer_id: account for (customer_id, _), account in known.items()}
    facts = await gather(tx, of=of, segment=held, accounts=accounts)
    before = await repository.last_told(tx.session, ids, segment)
    documents = {customer_id: as_document(facts[customer_id]) for customer_id in ids}
    made = [_made(tx, facts[each], digest(documents[each]), rules[each]) for each in ids]
    await repository.add_all(tx.session, [_values(each, documents[each.customer_id]) for each in made])
    if accounts:
        await exposure.note_risks(
            tx, facts={(each.customer_id, segment): _noted(each) for each in made if each.customer_id in accounts}
        )
    for each in made:
        tx.emit(
            CustomerAssessed(
                subject_id=str(each.id),
                customer_id=each.customer_id,
                segment=segment,
                before=_told(before[each.customer_id]) if each.customer_id in before else {},
                after=_told(_outcome(each)),
            )
        )
    return made


async def latest(tx: Transaction, *, customer_id: str, segment: str) -> Assessment | None:
    """The last assessment of the customer in the segment."""
    row = await repository.latest(tx.session, customer_id, segment)
    return None if row is None else assessment_of(row)


async def probabilities(tx: Transaction, *, customer_ids: Collection[str], segment: str) -> Mapping[str, Decimal]:
    """The probability of default (0–1) of those of the customers that were assessed in the segment."""
    return await repository.probabilities(tx.session, customer_ids, segment) if customer_ids else {}


async def find(tx: Transaction, *, assessment_id: UUID, segments: Collection[str] | None = None) -> Assessment:
    """One assessment. Raises `AssessmentNotFound`, also for one in another segment than `segments`."""
    row = await repository.find(tx.session, assessment_id)
    if row is None or (segments is not None and row.segment not in segments):
        raise AssessmentNotFound(f"there is no assessment {assessment_id}")
    return assessment_of(row)


async def list_assessments(
    tx: Transaction, *, customer_id: str, page: PageRequest, segments: Collection[str] | None = None
) -> Slice[Assessment]:
    """The customer's assessments by the instant they were made. Raises `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    found = await repository.list_page(tx.session, page, customer_id=customer_id, segments=segments)
    return Slice([assessment_of(row) for row in found.rows], found.next_cursor)


async def questions_of(tx: Transaction, *, assessment: Assessment) -> Mapping[str, Question]:
    """The questions of the policy that an assessment was made under, by their items."""
    policy = await _recalled(tx, assessment.policy)
    scorecard = policy.policy.scorecard
    return {} if scorecard is None else {question.item: question for question in scorecard.questions}


async def replay(tx: Transaction, *, assessment: Assessment) -> Replay:
    """Decides a stored assessment again, from its stored facts under the policy that it was made under."""
    policy = await _recalled(tx, assessment.policy)
    given, again = _document(assessment.finding), _document(decide(assessment.facts, policy.policy))
    differing = [name for name in given if again.get(name) != given[name]]
    if digest(as_document(assessment.facts)) != assessment.facts_digest:
        differing.append("facts_digest")
    return Replay(given, again, differing)


async def note_on_account(tx: Transaction, opened: AccountOpened) -> None:
    """Tells an account that is opened what was found before there was one."""
    assert opened.customer_id, "an account is a customer's"
    assert opened.segment, "in a segment"
    known = await latest(tx, customer_id=opened.customer_id, segment=opened.segment)
    if known is not None:
        await exposure.note_risks(tx, facts={(known.customer_id, known.segment): _noted(known)})


def assessment_of(row: AssessmentRow) -> Assessment:
    """A row as the core knows it."""
    return Assessment(
        id=row.id,
        customer_id=row.customer_id,
        segment=row.segment,
        facts=load(AssessmentFacts, row.facts),
        facts_digest=row.facts_digest,
        finding=load(Finding, row.finding),
        policy=PolicyUsed(row.segment, row.policy_version, row.policy_profile, row.policy_override_id),
        assessed_at=row.assessed_at,
        assessed_by=row.assessed_by,
    )


async def _recalled(tx: Transaction, used: PolicyUsed) -> EffectivePolicy:
    return await policies.recall(
        tx, segment=used.segment, version=used.version, profile=used.profile, override_id=used.override_id
    )


def _made(tx: Transaction, facts: AssessmentFacts, facts_digest: str, policy: EffectivePolicy) -> Assessment:
    return Assessment(
        id=tx.new_id(),
        customer_id=facts.customer_id,
        segment=facts.segment,
        facts=facts,
        facts_digest=facts_digest,
        finding=decide(facts, policy.policy),
        policy=PolicyUsed(policy.segment, policy.version, policy.profile, policy.override_id),
        assessed_at=tx.now,
        assessed_by=tx.actor.name,
    )


def _values(made: Assessment, facts: dict[str, Any]) -> dict[str, Any]:
    finding = made.finding
    return {
        "id": made.id,
        "customer_id": made.customer_id,
        "segment": made.segment,
        "score": finding.score,
        "grade": finding.grade,
        "probability": finding.probability_of_default,
        "confidence": finding.confidence.percent,
        "limit_amount": finding.recommended_limit.amount,
        "currency": made.facts.currency,
        "review_on": finding.review_on,
        "policy_version": made.policy.version,
        "policy_profile": made.policy.profile,
        "policy_override_id": made.policy.override_id,
        "facts_digest": made.facts_digest,
        "facts": facts,
        "finding": _document(finding),
        "assessed_by": made.assessed_by,
        "assessed_at": made.assessed_at,
    }


def _noted(made: Assessment) -> exposure.RiskFacts:
    return {"grade": made.grade, "assessed_on": made.assessed_on}


def _outcome(made: Assessment) -> Outcome:
    limit = made.finding.recommended_limit
    return Outcome(made.grade, made.score, limit.amount, limit.currency, made.policy.version, made.review_on)


def _document(finding: Finding) -> dict[str, Any]:
    """What was found as JSON: decimals as text with the digits they have."""
    document: dict[str, Any] = orjson.loads(orjson.dumps(finding, default=str))
    return document


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "grade": outcome.grade,
        "score": str(outcome.score),
        "recommended_limit": render(outcome.limit_amount, outcome.currency),
        "currency": outcome.currency,
        "policy_version": outcome.policy_version,
        "review_on": outcome.review_on.isoformat(),
    }
