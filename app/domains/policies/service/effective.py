"""The policy in effect: of a segment, and of one customer in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Customer
from app.domains.policies import repository
from app.domains.policies.core.compiled import EffectivePolicy, compile_policy
from app.domains.policies.core.document import Policy, effective
from app.domains.policies.core.overrides import PolicyOverride
from app.domains.policies.core.refusals import (
    OverrideNotFound,
    OverrideUnfit,
    PolicyInvalid,
    PolicyMissing,
    PolicyVersionNotFound,
)
from app.domains.policies.service.segments import segment as get_segment
from app.domains.policies.service.shelves import shelf_of
from app.domains.policies.tables import PolicyOverrideRow, PolicyVersionRow
from app.infra.transaction import Transaction
from app.kernel.periods import local_day


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """The version of a segment's policy that holds now."""

    segment: str
    version: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EffectiveDocument:
    """The rules that hold for one customer, as a document, and where they come from."""

    segment: str
    version: int
    profile: str
    override: PolicyOverride | None
    document: dict[str, Any]


async def active(tx: Transaction, *, segment: str) -> ActivePolicy:
    """The segment's active policy. Raises `SegmentNotFound` or `PolicyMissing`."""
    row = await _active_row(tx, segment)
    return ActivePolicy(segment, row.version, row.document)


async def effective_policy(tx: Transaction, *, segment: str, customer: Customer) -> EffectivePolicy:
    """What holds for the customer today: document, profile, override. Raises `SegmentNotFound`, `PolicyMissing`,
    `OverrideUnfit`."""
    row, override = await current_parts(tx, segment=segment, customer_id=customer.customer_id)
    return _compiled(tx, row, customer.profile, override)


async def effective_policies(tx: Transaction, *, segment: str, of: Collection[Customer]) -> dict[str, EffectivePolicy]:
    """What holds for each of the customers today, by customer: three statements, however many there are.

    Raises `SegmentNotFound`, `PolicyMissing`, `OverrideUnfit`.
    """
    held = await get_segment(tx, segment=segment)
    row = await _active_row(tx, segment)
    ids = [customer.customer_id for customer in of]
    found = await repository.overrides_in_force(tx.session, segment, local_day(tx.now, held.zone), customer_ids=ids)
    overrides = {override.customer_id: override for override in found}
    return {
        customer.customer_id: _compiled(tx, row, customer.profile, overrides.get(customer.customer_id))
        for customer in of
    }


async def effective_document(tx: Transaction, *, segment: str, customer_id: str) -> EffectiveDocument:
    """What holds for the customer today, as people read it.

    Raises `CustomerNotFound`, `SegmentNotFound` or `PolicyMissing`.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    row, override = await current_parts(tx, segment=segment, customer_id=customer_id)
    patch = override.patch if override else None
    document = effective(row.document, profile=customer.profile, override_patch=patch)
    facts = override.facts() if override else None
    return EffectiveDocument(segment, row.version, customer.profile, facts, document)


async def recall(
    tx: Transaction, *, segment: str, version: int, profile: str, override_id: UUID | None = None
) -> EffectivePolicy:
    """The policy that a stored decision was made by, exactly as it was.

    Raises `PolicyVersionNotFound`, `OverrideNotFound`, `OverrideUnfit`.
    """
    known = shelf_of(tx).peek(segment, version, profile, override_id)
    if known is not None:
        return EffectivePolicy(segment, version, profile, override_id, known)
    row = await repository.version(tx.session, segment, version)
    if row is None:
        raise PolicyVersionNotFound(f"there is no version {version} of {segment!r}")
    override = await tx.session.get(PolicyOverrideRow, override_id) if override_id else None
    if override_id is not None and override is None:
        raise OverrideNotFound(f"there is no policy override {override_id}")
    return _compiled(tx, row, profile, override)


async def current_parts(
    tx: Transaction, *, segment: str, customer_id: str
) -> tuple[PolicyVersionRow, PolicyOverrideRow | None]:
    """The active version and the customer's override in force, if there is one. For this package only."""
    held = await get_segment(tx, segment=segment)
    row = await _active_row(tx, segment)
    today = local_day(tx.now, held.zone)
    return row, await repository.override_in_force(tx.session, segment, customer_id, today)


def fitted(document: Mapping[str, Any], *, profile: str, override: PolicyOverrideRow | None) -> Policy:
    """The customer's policy out of a valid document. Raises `OverrideUnfit`.

    A patch is checked when it is proposed and when a new version is activated, but a customer may change its profile
    afterwards: what does not fit then decides nothing.
    """
    try:
        return compile_policy(document, profile=profile, override_patch=override.patch if override else None)
    except PolicyInvalid as invalid:
        whose = f"the override of {override.customer_id!r}" if override else f"the profile {profile!r}"
        raise OverrideUnfit(f"{whose} and the policy are not valid together", faults=invalid.faults) from None


def _compiled(
    tx: Transaction, row: PolicyVersionRow, profile: str, override: PolicyOverrideRow | None
) -> EffectivePolicy:
    override_id = override.id if override else None

    def load() -> Policy:
        return fitted(row.document, profile=profile, override=override)

    policy = shelf_of(tx).compiled(row.segment, row.version, profile, override_id, load)
    return EffectivePolicy(row.segment, row.version, profile, override_id, policy)


async def _active_row(tx: Transaction, segment: str) -> PolicyVersionRow:
    row = await repository.active(tx.session, segment, tx.now)
    if row is None:
        await get_segment(tx, segment=segment)
        raise PolicyMissing(f"no version of {segment!r} is active")
    return row
