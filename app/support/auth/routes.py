"""API keys over HTTP. Only an administrator gives out keys, so nobody can grant more than they have.

These routes keep no answers under an `Idempotency-Key`: the text of a key must not lie in the database. A repeated
creation is refused by the name instead.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.kernel.money import exact, render
from app.support.auth import service as auth
from app.support.auth.core.scopes import Role, Scope
from app.support.auth.dependencies import Tx, requires
from app.support.auth.routing import GuardedRoute
from app.support.auth.schemas import ApiKeyIn, ApiKeyOut, NewApiKeyOut, RotationIn
from app.support.auth.tables import ApiKey

router = APIRouter(tags=["api keys"], route_class=GuardedRoute)


@router.post(
    "/v1/api-keys",
    status_code=201,
    summary="Make an API key",
    dependencies=[requires(Scope.ADMIN)],
    responses=problems(409),
)
async def create_api_key(tx: Tx, wish: ApiKeyIn) -> NewApiKeyOut:
    """The text of the key is in this answer and nowhere else."""
    key, text = await auth.create_key(
        tx,
        name=wish.name,
        kind=wish.kind,
        role=wish.role,
        scopes=wish.scopes,
        authority=exact(wish.authority.amount, wish.authority.currency) if wish.authority else None,
        segments=wish.segments,
        expires_at=wish.expires_at,
    )
    return NewApiKeyOut(**_members(key), key=text)


@router.get(
    "/v1/api-keys",
    summary="All API keys, revoked ones included",
    dependencies=[requires(Scope.ADMIN)],
    responses=problems(422),
)
async def list_api_keys(tx: Tx, page: PageQuery) -> Page[ApiKeyOut]:
    """Newest first."""
    found = await auth.list_keys(tx, page=page)
    return Page(items=[ApiKeyOut(**_members(key)) for key in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/v1/api-keys/{key_id}/rotate",
    summary="Replace the text of an API key",
    dependencies=[requires(Scope.ADMIN)],
    responses=problems(404, 409),
)
async def rotate_api_key(tx: Tx, key_id: UUID, wish: RotationIn | None = None) -> NewApiKeyOut:
    """The old text goes on working for the overlap, by default a day."""
    overlap = timedelta(seconds=(wish or RotationIn()).overlap_seconds)
    key, text = await auth.rotate_key(tx, key_id=key_id, overlap=overlap)
    return NewApiKeyOut(**_members(key), key=text)


@router.delete(
    "/v1/api-keys/{key_id}",
    summary="Revoke an API key",
    dependencies=[requires(Scope.ADMIN)],
    responses=problems(404, 409),
)
async def revoke_api_key(tx: Tx, key_id: UUID) -> ApiKeyOut:
    """It stops working everywhere within two seconds."""
    return ApiKeyOut(**_members(await auth.revoke_key(tx, key_id=key_id)))


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
