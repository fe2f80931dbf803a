"""API keys over HTTP, and who holds more than one person should.

Whoever administers keys acts in nothing else (`duties`): the scope `keys:write` gives out every scope but `admin`.

These routes keep no answers under an `Idempotency-Key`: the text of a key must not lie in the database. A repeated
creation is refused by the name instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.kernel.money import exact, render
from app.support.auth import service as auth
from app.support.auth.core.duties import DutyConflict, conflicts
from app.support.auth.core.scopes import Role, Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.auth.routing import GuardedRoute
from app.support.auth.schemas import ApiKeyIn, ApiKeyOut, ConflictedOut, DutyConflictOut, NewApiKeyOut, RotationIn
from app.support.auth.tables import ApiKey

router = APIRouter(tags=["api keys"], route_class=GuardedRoute)


@router.post(
    "/v1/api-keys",
    status_code=201,
    summary="Make an API key",
    dependencies=[requires(Scope.KEYS_WRITE)],
    responses=problems(409),
)
async def create_api_key(request: Request, tx: Tx, caller: Caller, wish: ApiKeyIn) -> NewApiKeyOut:
    """The text of the key is in this answer and nowhere else. What one person should not hold together is said, and
    made all the same: see `GET /v1/control/conflicts`."""
    auth.check_grantable(caller, wish.scopes)
    key, text = await auth.create_key(
        tx,
        name=wish.name,
        kind=wish.kind,
        role=wish.role,
        scopes=wish.scopes,
        authority=exact(wish.authority.amount, wish.authority.currency) if wish.authority else None,
        segments=wish.segments,
        expires_at=wish.expires_at,
        bundles=request.app.state.bundles,
    )
    return _new(key, text)


@router.get(
    "/v1/api-keys",
    summary="All API keys, revoked ones included",
    dependencies=[requires(Scope.KEYS_WRITE)],
    responses=problems(422),
)
async def list_api_keys(tx: Tx, page: PageQuery) -> Page[ApiKeyOut]:
    """Newest first."""
    found = await auth.list_keys(tx, page=page)
    return Page(items=[ApiKeyOut(**_members(key)) for key in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/v1/api-keys/{key_id}/rotate",
    summary="Replace the text of an API key",
    dependencies=[requires(Scope.KEYS_WRITE)],
    responses=problems(404, 409),
)
async def rotate_api_key(tx: Tx, caller: Caller, key_id: UUID, wish: RotationIn | None = None) -> NewApiKeyOut:
    """The old text goes on working for the overlap, by default a day."""
    overlap = timedelta(seconds=(wish or RotationIn()).overlap_seconds)
    key, text = await auth.rotate_key(tx, key_id=key_id, caller=caller, overlap=overlap)
    return _new(key, text)


@router.delete(
    "/v1/api-keys/{key_id}",
    summary="Revoke an API key",
    dependencies=[requires(Scope.KEYS_WRITE)],
    responses=problems(404, 409),
)
async def revoke_api_key(tx: Tx, key_id: UUID) -> ApiKeyOut:
    """It stops working everywhere within two seconds."""
    return ApiKeyOut(**_members(await auth.revoke_key(tx, key_id=key_id)))


@router.get(
    "/v1/control/conflicts",
    tags=["control"],
    summary="Whose scopes break the segregation of duties",
    dependencies=[requires(Scope.JOURNAL_READ, Scope.KEYS_WRITE)],
    responses=problems(422),
)
async def list_conflicts(request: Request, tx: Tx, page: PageQuery) -> Page[ConflictedOut]:
    """Keys that work today, and the bootstrap key while it is set: it heads the first page, beside its `limit` items.

    Holders of tokens are known to their identity provider only; one role of Headroom never breaks a duty.
    """
    bootstrap: bool = request.app.state.authenticator.takes_bootstrap_key
    found = await auth.list_conflicts(tx, page=page, bootstrap=bootstrap)
    return Page(items=[_conflicted(who) for who in found.rows], next_cursor=found.next_cursor)


def _new(key: ApiKey, text: str) -> NewApiKeyOut:
    return NewApiKeyOut(**_members(key), key=text, conflicts=_broken(conflicts(key.principal().scopes)))


def _broken(found: Sequence[DutyConflict]) -> list[DutyConflictOut]:
    return [DutyConflictOut(code=each.duty.code, rule=each.duty.rule, scopes=list(each.scopes)) for each in found]


def _conflicted(who: auth.Conflicted) -> ConflictedOut:
    key, principal = who.key, who.principal
    return ConflictedOut.model_validate(
        {
            "principal_id": principal.id,
            "name": principal.name,
            "kind": principal.kind,
            "role": key.role if key else None,
            "scopes": sorted(principal.scopes),
            "segments": None if principal.segments is None else sorted(principal.segments),
            "created_at": key.created_at if key else None,
            "created_by": key.created_by if key else None,
            "conflicts": _broken(who.conflicts),
        }
    )


def _members(key: ApiKey) -> dict[str, Any]:
    authority = key.authority
    return {
        "id": str(key.id),
        "name": key.name,
        "kind": key.kind,
        "role": Role(key.role) if key.role else None,
        "scopes": [Scope(scope) for scope in key.scopes],
        "authority": authority
        and {"amount": render(authority.amount, authority.currency), "currency": authority.currency},
        "segments": key.segments,
        "prefix": key.prefix,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "rotated_at": key.rotated_at,
        "previous_key_until": key.previous_until,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
