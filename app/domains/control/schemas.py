"""Audits and the report on activity on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.domains.control.core.activity import Activity, Fate
from app.domains.control.core.audits import SAMPLE_MAX, Audit, AuditState, DecisionKind, Finding, Item, Replayed
from app.domains.control.service import Audited
from app.domains.control.service.activity import Report
from app.infra.http.fields import BusinessDay, Prose, SegmentName, Whole, Wire

Size = Annotated[Whole, Field(ge=0, le=SAMPLE_MAX)]
Seed = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$", description="Any; the same draws the same sample again")]


class SizesIn(Wire):
    """How many decisions of each kind to draw, at most."""

    credit_check: Size = 25
    limit: Size = 10
    release: Size = 10
    write_off: Size = 10

    def by_kind(self) -> dict[DecisionKind, int]:
        """Those of which any are wanted."""
        return {kind: getattr(self, kind.value) for kind in DecisionKind if getattr(self, kind.value)}


class AuditIn(Wire):
    """A sample to be drawn: from the decisions of a segment's days, both inclusive."""

    segment: SegmentName = "main"
    since: Annotated[BusinessDay, Field(alias="from")]
    until: Annotated[BusinessDay, Field(alias="to")]
    sizes: SizesIn = SizesIn()
    seed: Seed | None = None


class FindingIn(Wire):
    """What the auditor found of one decision."""

    finding: Finding
    note: Prose


class SignOffIn(Wire):
    """What the audit comes to."""

    conclusion: Prose


class AuditItemOut(Wire):
    """One decision of the sample: the journal's `after`, what deciding it again came to, and the finding."""

    position: int
    kind: DecisionKind
    seq: int
    type: str
    at: datetime
    actor: str
    subject: dict[str, str]
    customer_id: str | None
    after: dict[str, Any]
    replayed: Replayed
    differing: list[str]
    finding: Finding | None
    note: str | None
    found_by: str | None
    found_at: datetime | None


class AuditOut(Wire):
    """An audit without its sample."""

    id: UUID
    segment: str
    since: Annotated[date, Field(serialization_alias="from")]
    until: Annotated[date, Field(serialization_alias="to")]
    seed: str
    sizes: dict[DecisionKind, int]
    population: dict[DecisionKind, int]
    through_seq: int
    state: AuditState
    drawn_by: str
    drawn_at: datetime
    conclusion: str | None
    signed_by: str | None
    signed_at: datetime | None


class AuditedOut(AuditOut):
    """An audit with its sample, by position."""

    items: list[AuditItemOut]


class PaceOut(Wire):
    """How many were decided, and the mean and median time from the question to the answer, in seconds."""

    decided: int
    mean_seconds: int | None
    median_seconds: int | None


class ReferredOut(PaceOut):
    """Referred orders: also how many in an hour in which the person decided any."""

    per_hour: str | None


class OverridesOut(Wire):
    """What a person decided past the ordinary procedure; of the orders they released, what became of them by today."""

    released: int
    released_became: dict[Fate, int]
    limits_set_outright: int
    policy_overrides: int


class CollectionOut(Wire):
    """Notices released, calls made, promises taken down, and what became of these promises."""

    notices: int
    calls: int
    promises: int
    promises_kept: int
    promises_broken: int


class ActivityOut(Wire):
    """One person's period. The role is that of the key of this name; null for holders of tokens."""

    actor: str
    role: str | None
    limit_requests: PaceOut
    referred_orders: ReferredOut
    overrides: OverridesOut
    collection: CollectionOut


class ReportOut(Wire):
    """What persons did on a segment's days, both inclusive, by name."""

    segment: str
    since: Annotated[date, Field(serialization_alias="from")]
    until: Annotated[date, Field(serialization_alias="to")]
    items: list[ActivityOut]


def audit_out(audit: Audit) -> AuditOut:
    """An audit as an item of a list."""
    return AuditOut.model_validate(_members(audit))


def audited_out(found: Audited) -> AuditedOut:
    """An audit with its sample."""
    return AuditedOut.model_validate({**_members(found.audit), "items": [_item(item) for item in found.items]})


def report_out(report: Report) -> ReportOut:
    """The report on activity."""
    return ReportOut(
        segment=report.segment,
        since=report.since,
        until=report.until,
        items=[_activity(item) for item in report.items],
    )


def _members(audit: Audit) -> dict[str, Any]:
    return {name: getattr(audit, name) for name in AuditOut.model_fields}


def _item(item: Item) -> dict[str, Any]:
    members = {name: getattr(item, name) for name in AuditItemOut.model_fields if name != "subject"}
    return {**members, "subject": {"type": item.subject_type, "id": item.subject_id}}


def _activity(item: Activity) -> ActivityOut:
    referred, per_hour = item.referred_orders, item.referred_orders_per_hour
    return ActivityOut(
        actor=item.actor,
        role=item.role,
        limit_requests=PaceOut(
            decided=item.limit_requests.decided,
            mean_seconds=item.limit_requests.mean_seconds,
            median_seconds=item.limit_requests.median_seconds,
        ),
        referred_orders=ReferredOut(
            decided=referred.decided,
            mean_seconds=referred.mean_seconds,
            median_seconds=referred.median_seconds,
            per_hour=None if per_hour is None else str(per_hour),
        ),
        overrides=OverridesOut(
            released=sum(item.releases.values()),
            released_became=dict(item.releases),
            limits_set_outright=item.limits_set_outright,
            policy_overrides=item.policy_overrides,
        ),
        collection=CollectionOut(
            notices=item.notices,
            calls=item.calls,
            promises=item.promises,
            promises_kept=item.promises_kept,
            promises_broken=item.promises_broken,
        ),
    )
