"""The way of a version from draft to active, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domains.policies.core.refusals import (
    EffectiveInPast,
    FourEyes,
    PersonRequired,
    PolicyAlreadyEffective,
    PolicyNotApproved,
    PolicyNotDraft,
    PolicyNotSubmitted,
)
from app.domains.policies.core.versions import (
    LIFECYCLE,
    PolicyMove,
    PolicyStatus,
    PolicyVersion,
    Standing,
    activate,
    approve,
    move,
    standing,
)
from app.kernel.errors import Refusal
from app.kernel.identity import SYSTEM, Actor, ActorKind

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN = Actor("ann", ActorKind.PERSON)
BOB = Actor("bob", ActorKind.PERSON)
ROBOT = Actor("robot", ActorKind.SERVICE)


def version(status: PolicyStatus, effective_at: datetime | None = None) -> PolicyVersion:
    """A version that Ann has edited."""
    return PolicyVersion(
        segment="main",
        version=2,
        status=status,
        document={},
        note=None,
        edited_by=("ann", "carl"),
        effective_at=effective_at,
        created_at=NOW,
    )


class TestMoves:
    @pytest.mark.parametrize("status", list(PolicyStatus))
    @pytest.mark.parametrize("step", list(PolicyMove))
    def test_are_made_or_refused_by_name(self, status: PolicyStatus, step: PolicyMove) -> None:
        if LIFECYCLE.allows(status, step):
            assert move(version(status), step) is LIFECYCLE.after(status, step)
        else:
            with pytest.raises((PolicyNotDraft, PolicyNotSubmitted, PolicyNotApproved)):
                move(version(status), step)

    def test_end_with_a_rejection(self) -> None:
        assert [status for status in PolicyStatus if LIFECYCLE.final(status)] == [PolicyStatus.REJECTED]

    @pytest.mark.parametrize(
        ("status", "step", "refusal"),
        [
            (PolicyStatus.SUBMITTED, PolicyMove.EDIT, PolicyNotDraft),
            (PolicyStatus.APPROVED, PolicyMove.SUBMIT, PolicyNotDraft),
            (PolicyStatus.DRAFT, PolicyMove.APPROVE, PolicyNotSubmitted),
            (PolicyStatus.APPROVED, PolicyMove.REJECT, PolicyNotSubmitted),
            (PolicyStatus.REJECTED, PolicyMove.ACTIVATE, PolicyNotApproved),
        ],
    )
    def test_say_what_would_be_needed(self, status: PolicyStatus, step: PolicyMove, refusal: type[Refusal]) -> None:
        with pytest.raises(refusal):
            move(version(status), step)


class TestApprove:
    def test_takes_a_second_person(self) -> None:
        assert approve(version(PolicyStatus.SUBMITTED), BOB) is PolicyStatus.APPROVED

    @pytest.mark.parametrize("editor", ["ann", "carl"])
    def test_refuses_every_editor(self, editor: str) -> None:
        with pytest.raises(FourEyes):
            approve(version(PolicyStatus.SUBMITTED), Actor(editor, ActorKind.PERSON))

    @pytest.mark.parametrize("actor", [ROBOT, SYSTEM])
    def test_refuses_everything_that_is_no_person(self, actor: Actor) -> None:
        with pytest.raises(PersonRequired):
            approve(version(PolicyStatus.SUBMITTED), actor)


class TestActivate:
    def test_takes_an_approved_version_from_anybody(self) -> None:
        found = activate(version(PolicyStatus.APPROVED), ROBOT, approved_before=True, effective_at=NOW, now=NOW)
        assert found is PolicyStatus.APPROVED

    @pytest.mark.parametrize("status", [PolicyStatus.DRAFT, PolicyStatus.SUBMITTED])
    def test_needs_no_approval_while_there_never_was_one(self, status: PolicyStatus) -> None:
        found = activate(version(status), ANN, approved_before=False, effective_at=NOW, now=NOW)
        assert found is PolicyStatus.APPROVED

    @pytest.mark.parametrize("status", [PolicyStatus.DRAFT, PolicyStatus.SUBMITTED])
    def test_needs_approval_once_there_was_one(self, status: PolicyStatus) -> None:
        with pytest.raises(PolicyNotApproved):
            activate(version(status), ANN, approved_before=True, effective_at=NOW, now=NOW)

    def test_without_approval_needs_a_person(self) -> None:
        with pytest.raises(PersonRequired):
            activate(version(PolicyStatus.DRAFT), ROBOT, approved_before=False, effective_at=NOW, now=NOW)

    def test_cannot_begin_in_the_past(self) -> None:
        with pytest.raises(EffectiveInPast):
            activate(
                version(PolicyStatus.APPROVED),
                ANN,
                approved_before=True,
                effective_at=NOW - timedelta(microseconds=1),
                now=NOW,
            )

    def test_can_move_an_instant_still_to_come_but_not_one_that_came(self) -> None:
        later = NOW + timedelta(days=1)
        scheduled = version(PolicyStatus.APPROVED, later)
        assert activate(scheduled, ANN, approved_before=True, effective_at=NOW, now=NOW)
        with pytest.raises(PolicyAlreadyEffective):
            activate(scheduled, ANN, approved_before=True, effective_at=later, now=later)


class TestStanding:
    def test_is_the_status_until_the_instant_has_come(self) -> None:
        for status in PolicyStatus:
            assert standing(version(status), active=1, now=NOW).value == status.value
        scheduled = version(PolicyStatus.APPROVED, NOW + timedelta(seconds=1))
        assert standing(scheduled, active=1, now=NOW) is Standing.APPROVED

    def test_is_active_or_superseded_afterwards(self) -> None:
        holding = version(PolicyStatus.APPROVED, NOW)
        assert standing(holding, active=2, now=NOW) is Standing.ACTIVE
        assert standing(replace(holding, version=1), active=2, now=NOW) is Standing.SUPERSEDED
