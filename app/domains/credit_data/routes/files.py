"""The credit file as a whole over HTTP, the versions of its records, and taking one back."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING, AsOf
from app.domains.credit_data.schemas.covers import CreditFileOut, credit_file_out
from app.domains.credit_data.schemas.parts import RetractIn, VersionsOut, versions_out
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.problem import problems
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=PREFIX, tags=[*TAGS], route_class=IdempotentRoute)


@router.get(
    "/credit-file",
    summary="All that is known of a customer from outside",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_credit_file(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName = "main", as_of: AsOf = None
) -> CreditFileOut:
    """As it was known at an instant; of each kind the newest 500."""
    file = await credit_data.credit_file(
        tx, customer_id=customer_id, segment=caller.confine(segment), known_at=as_of or tx.now
    )
    return credit_file_out(file)


@router.get(
    "/credit-records/{id}/versions",
    summary="Every version of a record",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_versions(tx: Tx, caller: Caller, customer_id: PathReference, id: UUID) -> VersionsOut:
    """What it said from when to when, who entered it, and whether it was taken back. The id is that of the record."""
    found = await credit_data.record_versions(tx, customer_id=customer_id, record_id=id)
    if found[-1].segment is not None:
        caller.confine(found[-1].segment)
    return versions_out(found)


@router.post(
    "/credit-records/{id}/retract",
    summary="Take a record back",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 503),
)
async def retract_record(tx: Tx, caller: Caller, customer_id: PathReference, id: UUID, body: RetractIn) -> VersionsOut:
    """It should not have been entered: from now on it is not known; what was known before can still be asked for."""
    record = (await credit_data.record_versions(tx, customer_id=customer_id, record_id=id))[-1]
    if record.segment is not None:
        caller.confine(record.segment)
    await credit_data.retract(tx, customer_id=customer_id, record_id=id, reason=body.reason)
    return versions_out(await credit_data.record_versions(tx, customer_id=customer_id, record_id=id))
