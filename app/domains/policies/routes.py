"""Segments, policies and overrides over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

from app.domains.policies import service as policies
from app.domains.policies.core.segments import MAIN
from app.domains.policies.schemas import (
    ActivationIn,
    DraftIn,
    EffectivePolicyOut,
    OverrideIn,
    OverrideOut,
    OverridesOut,
    PolicyDiffOut,
    PolicyVersionOut,
    SegmentIn,
    SegmentOut,
    differences_out,
    effective_out,
    override_out,
    overrides_out,
    policy_schema,
    segment_out,
    version_out,
)
from app.domains.policies.service import VersionView
from app.infra.db.paging import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, PageRequest
from app.infra.http.etag import IfMatch, check_if_match, etag
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.paging import Page
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["policies"], route_class=IdempotentRoute)

VersionNumber = Annotated[int, Path(ge=1, le=2**31)]
SegmentQuery = Annotated[SegmentName, Query(description="The segment")]

_READ: Final = requires(Scope.POLICIES_WRITE, Scope.POLICIES_APPROVE, Scope.JOURNAL_READ)
_WRITE: Final = requires(Scope.POLICIES_WRITE)
_APPROVE: Final = requires(Scope.POLICIES_APPROVE)


# ---- segments ------------------------------------------------------------------------------------------------------


@router.put(
    "/v1/segments/{segment}",
    summary="Open or change a segment",
    dependencies=[requires(Scope.ADMIN)],
    responses={201: {"model": SegmentOut, "description": "Opened"}, **problems(404, 409, 412)},
)
async def put_segment(
    tx: Tx, caller: Caller, segment: SegmentName, wish: SegmentIn, response: Response, if_match: IfMatch = None
) -> SegmentOut:
    """A new segment starts with the default policy active. Its currency never changes."""
    found, opened = await policies.open_segment(
        tx,
        segment=caller.confine(segment),
        name=wish.name,
        currency=wish.currency,
        time_zone=wish.time_zone,
        precondition=partial(check_if_match, if_match),
    )
    if opened:
        response.status_code = 201
    response.headers["ETag"] = etag(found.version)
    return segment_out(found)


@router.get("/v1/segments", summary="The segments", dependencies=[requires(*Scope)], responses=problems(401))
async def list_segments(tx: Tx, caller: Caller) -> Page[SegmentOut]:
    """Those that the caller may see, by name, all on one page."""
    seen = [segment for segment in await policies.list_segments(tx) if caller.sees(segment.segment)]
    return Page(items=[segment_out(segment) for segment in seen], next_cursor=None)


# ---- the document and its versions ---------------------------------------------------------------------------------


@router.get(
    "/v1/policies/schema",
    summary="The JSON Schema of a policy document",
    dependencies=[_READ],
    responses=problems(401),
)
async def get_policy_schema() -> dict[str, Any]:
    """What an editor needs to know of the document's format."""
    return policy_schema()


@router.get("/v1/policies/{segment}", summary="The active policy", dependencies=[_READ], responses=problems(404))
async def get_active_policy(tx: Tx, caller: Caller, segment: SegmentName) -> PolicyVersionOut:
    """The version that holds now."""
    return version_out(await policies.version(tx, segment=caller.confine(segment)))


@router.get(
    "/v1/policies/{segment}/versions",
    summary="The versions of a policy, the latest first",
    dependencies=[_READ],
    responses=problems(404),
)
async def list_policy_versions(
    tx: Tx,
    caller: Caller,
    segment: SegmentName,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items per page")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="next_cursor of the page before")] = None,
) -> Page[PolicyVersionOut]:
    """Drafts and rejected versions included."""
    found = await policies.list_versions(tx, segment=caller.confine(segment), page=PageRequest(limit, cursor))
    return Page(items=[version_out(view) for view in found.items], next_cursor=found.next_cursor)


@router.post(
    "/v1/policies/{segment}/versions",
    status_code=201,
    summary="Draft a policy",
    dependencies=[_WRITE],
    responses=problems(404),
)
async def draft_policy(
    tx: Tx, caller: Caller, segment: SegmentName, wish: DraftIn, response: Response
) -> PolicyVersionOut:
    """A document that is not valid is refused with a pointer to each fault."""
    view = await policies.draft(tx, segment=caller.confine(segment), document=wish.document, note=wish.note)
    return _tagged(view, response)


@router.get(
    "/v1/policies/{segment}/versions/{version}",
    summary="One version of a policy",
    dependencies=[_READ],
    responses=problems(404),
)
async def get_policy_version(
    tx: Tx, caller: Caller, segment: SegmentName, version: VersionNumber, response: Response
) -> PolicyVersionOut:
    """With the ETag that editing a draft requires."""
    return _tagged(await policies.version(tx, segment=caller.confine(segment), number=version), response)


@router.put(
    "/v1/policies/{segment}/versions/{version}",
    summary="Edit a draft",
    dependencies=[_WRITE],
    responses=problems(404, 409, 412, 428),
)
async def edit_policy(
    tx: Tx,
    caller: Caller,
    segment: SegmentName,
    version: VersionNumber,
    wish: DraftIn,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyVersionOut:
    """If-Match is required. Whoever edits a draft can't approve it."""
    view = await policies.edit(
        tx,
        segment=caller.confine(segment),
        number=version,
        document=wish.document,
        note=wish.note,
        precondition=partial(check_if_match, if_match, required=True),
    )
    return _tagged(view, response)


@router.get(
    "/v1/policies/{segment}/versions/{version}/diff",
    summary="What a version says differently",
    dependencies=[_READ],
    responses=problems(404),
)
async def diff_policy_versions(
    tx: Tx,
    caller: Caller,
    segment: SegmentName,
    version: VersionNumber,
    against: Annotated[int, Query(ge=1, le=2**31, description="The version it is compared with")],
) -> PolicyDiffOut:
    """Each member that differs, before in `against` and after in `version`."""
    found = await policies.compare(tx, segment=caller.confine(segment), number=version, against=against)
    return PolicyDiffOut(segment=segment, version=version, against=against, differences=differences_out(found))


@router.post(
    "/v1/policies/{segment}/versions/{version}/submit",
    summary="Submit a draft for approval",
    dependencies=[_WRITE],
    responses=problems(404, 409),
)
async def submit_policy(
    tx: Tx, caller: Caller, segment: SegmentName, version: VersionNumber, response: Response
) -> PolicyVersionOut:
    """It never changes again."""
    return _tagged(await policies.submit(tx, segment=caller.confine(segment), number=version), response)


@router.post(
    "/v1/policies/{segment}/versions/{version}/approve",
    summary="Approve a submitted version",
    dependencies=[_APPROVE],
    responses=problems(404, 409),
)
async def approve_policy(
    tx: Tx, caller: Caller, segment: SegmentName, version: VersionNumber, response: Response
) -> PolicyVersionOut:
    """By a person who had no part in editing it."""
    return _tagged(await policies.approve(tx, segment=caller.confine(segment), number=version), response)


@router.post(
    "/v1/policies/{segment}/versions/{version}/reject",
    summary="Reject a submitted version",
    dependencies=[_APPROVE],
    responses=problems(404, 409),
)
async def reject_policy(
    tx: Tx, caller: Caller, segment: SegmentName, version: VersionNumber, response: Response
) -> PolicyVersionOut:
    """For good: a better one is a new draft."""
    return _tagged(await policies.reject(tx, segment=caller.confine(segment), number=version), response)


@router.post(
    "/v1/policies/{segment}/versions/{version}/activate",
    summary="Activate an approved version",
    dependencies=[_APPROVE],
    responses=problems(404, 409),
)
async def activate_policy(
    tx: Tx,
    caller: Caller,
    segment: SegmentName,
    version: VersionNumber,
    response: Response,
    wish: ActivationIn | None = None,
) -> PolicyVersionOut:
    """Now or from a later instant on. Until the segment's first approval a person may activate a draft alone."""
    effective_at = wish.effective_at if wish else None
    view = await policies.activate(tx, segment=caller.confine(segment), number=version, effective_at=effective_at)
    return _tagged(view, response)


# ---- overrides -----------------------------------------------------------------------------------------------------


@router.put(
    "/v1/customers/{customer_id}/policy-override",
    summary="Propose other rules for a customer",
    dependencies=[_WRITE],
    responses=problems(404, 409),
)
async def propose_policy_override(tx: Tx, caller: Caller, customer_id: PathReference, wish: OverrideIn) -> OverrideOut:
    """In force once a second person has approved it. Takes the place of a proposal that still waits."""
    override = await policies.propose_override(
        tx,
        segment=caller.confine(wish.segment),
        customer_id=customer_id,
        patch=wish.patch,
        valid_until=wish.valid_until,
        reason=wish.reason,
    )
    return override_out(override)


@router.get(
    "/v1/customers/{customer_id}/policy-override",
    summary="The overrides of a customer",
    dependencies=[_READ],
    responses=problems(404),
)
async def get_policy_override(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentQuery = MAIN
) -> OverridesOut:
    """The one in force and the one that waits."""
    found = await policies.current_override(tx, segment=caller.confine(segment), customer_id=customer_id)
    return overrides_out(found)


@router.post(
    "/v1/customers/{customer_id}/policy-override/approve",
    summary="Approve other rules for a customer",
    dependencies=[_APPROVE],
    responses=problems(404, 409),
)
async def approve_policy_override(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentQuery = MAIN
) -> OverrideOut:
    """By a person other than the one who asked for them."""
    found = await policies.approve_override(tx, segment=caller.confine(segment), customer_id=customer_id)
    return override_out(found)


@router.post(
    "/v1/customers/{customer_id}/policy-override/reject",
    summary="Reject other rules for a customer",
    dependencies=[_APPROVE],
    responses=problems(404, 409),
)
async def reject_policy_override(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentQuery = MAIN
) -> OverrideOut:
    """What is in force stays so."""
    found = await policies.reject_override(tx, segment=caller.confine(segment), customer_id=customer_id)
    return override_out(found)


@router.get(
    "/v1/customers/{customer_id}/effective-policy",
    summary="The rules that hold for a customer",
    dependencies=[_READ],
    responses=problems(404, 409),
)
async def get_effective_policy(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentQuery = MAIN
) -> EffectivePolicyOut:
    """Document, profile and override put together."""
    found = await policies.effective_document(tx, segment=caller.confine(segment), customer_id=customer_id)
    return effective_out(found)


def _tagged(view: VersionView, response: Response) -> PolicyVersionOut:
    response.headers["ETag"] = etag(view.version.revision)
    return version_out(view)
