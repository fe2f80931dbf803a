"""What routes ask for: the caller, their scopes, and the transaction of the request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, Request

from app.infra.http.problem import request_id_of
from app.infra.transaction import Transaction, Transactions
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import Scope
from app.support.auth.service import Authenticator


async def current_principal(request: Request) -> Principal:
    """Who is calling. Raises `CredentialsMissing` or `CredentialsInvalid`."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is None:
        authenticator: Authenticator = request.app.state.authenticator
        known = await authenticator.principal(request.headers.get("authorization"))
        request.state.principal = known
    return known


Caller = Annotated[Principal, Depends(current_principal)]
"""The parameter of a route that needs to know who is calling."""


class Requirement:
    """A dependency that refuses a caller who has none of `scopes`."""

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> None:
        (await current_principal(request)).require(*self.scopes)


def requires(*scopes: Scope) -> Any:
    """The dependency of a route that any one of `scopes` opens: `dependencies=[requires(Scope.X)]`."""
    assert scopes, "a route needs at least one scope"
    return Depends(Requirement(scopes))


@asynccontextmanager
async def request_transaction(
    request: Request, principal: Principal, *, comes_again: bool = False
) -> AsyncIterator[Transaction]:
    """The transaction of `request`, on behalf of `principal`: commits when the block ends, before the answer."""
    transactions: Transactions = request.app.state.transactions
    request_id = request_id_of(request.scope)
    async with transactions.begin(actor=principal.actor, request_id=request_id, comes_again=comes_again) as tx:
        request.state.transaction = tx
        yield tx


async def open_transaction(request: Request, caller: Caller) -> AsyncIterator[Transaction]:
    """The request's transaction; the one that `IdempotentRoute` has already begun, if it has."""
    begun: Transaction | None = getattr(request.state, "transaction", None)
    if begun is not None:
        yield begun
        return
    async with request_transaction(request, caller) as tx:
        yield tx


Tx = Annotated[Transaction, Depends(open_transaction, scope="function")]
"""The parameter of a route that works in a transaction; a failing commit is answered 5xx."""
