"""Customers over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.domains.customers import service as customers
from app.domains.customers.schemas import (
    CustomerIn,
    CustomerOut,
    ErasedOut,
    ErasureIn,
    KnownContactOut,
    ProfileName,
    customer_out,
    known_contact_out,
)
from app.infra.http.etag import IfMatch, check_if_match, etag
from app.infra.http.fields import Line, PathReference
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["customers"], route_class=IdempotentRoute)


@router.put(
    "/v1/customers/{customer_id}",
    summary="Create or replace a customer",
    dependencies=[requires(Scope.CUSTOMERS_WRITE)],
    responses={201: {"model": CustomerOut, "description": "Created"}, **problems(412)},
)
async def put_customer(
    tx: Tx, customer_id: PathReference, customer: CustomerIn, response: Response, if_match: IfMatch = None
) -> CustomerOut:
    """The same again changes nothing. Another parent moves the exposure of the group at once."""
    filed = await customers.put(
        tx,
        customer_id=customer_id,
        particulars=customer.particulars(),
        contacts=customer.contact_details(),
        precondition=partial(check_if_match, if_match),
    )
    if filed.created:
        response.status_code = 201
    response.headers["ETag"] = etag(filed.customer.version)
    return customer_out(filed)


@router.get(
    "/v1/customers/{customer_id}",
    summary="One customer",
    dependencies=[requires(Scope.CUSTOMERS_READ)],
    responses=problems(404),
)
async def get_customer(tx: Tx, customer_id: PathReference, response: Response) -> CustomerOut:
    """With its contacts, and the ETag that an edit may name."""
    filed = await customers.get_filed(tx, customer_id=customer_id)
    response.headers["ETag"] = etag(filed.customer.version)
    return customer_out(filed)


@router.get(
    "/v1/customers",
    summary="Customers, the last changed first",
    dependencies=[requires(Scope.CUSTOMERS_READ)],
    responses=problems(422),
)
async def list_customers(
    tx: Tx,
    page: PageQuery,
    query: Annotated[Line | None, Query(description="Part of a name or an id, in any case")] = None,
    profile: Annotated[ProfileName | None, Query(description="Only customers of this profile")] = None,
) -> Page[CustomerOut]:
    """Searched by a part of the name or id, or listed by profile."""
    found = await customers.list_customers(tx, page=page, query=query, profile=profile)
    return Page(items=[customer_out(filed) for filed in found.items], next_cursor=found.next_cursor)


@router.get(
    "/v1/customers/{customer_id}/contacts",
    summary="Whom we know, and knew, at a customer",
    dependencies=[requires(Scope.CUSTOMERS_WRITE)],
    responses=problems(404, 422),
)
async def list_contacts(tx: Tx, customer_id: PathReference, page: PageQuery) -> Page[KnownContactOut]:
    """Also former contacts that were written to: for whoever asks what is known of them, or to be forgotten."""
    found, cursor = await customers.list_contacts(tx, customer_id=customer_id, page=page)
    return Page(items=[known_contact_out(contact) for contact in found], next_cursor=cursor)


@router.post(
    "/v1/customers/{customer_id}/contacts/{contact_id}/erase",
    summary="Forget a person",
    dependencies=[requires(Scope.CUSTOMERS_WRITE)],
    responses=problems(404, 409),
)
async def erase_contact(
    tx: Tx, customer_id: PathReference, contact_id: UUID, erasure: ErasureIn, response: Response
) -> ErasedOut:
    """For good, and everywhere: what the journal says of the contact stays, and names nobody."""
    customer = await customers.erase_contact(tx, customer_id=customer_id, contact_id=contact_id, ground=erasure.ground)
    response.headers["ETag"] = etag(customer.version)
    return ErasedOut(customer_id=customer_id, contact_id=contact_id, ground=erasure.ground, erased_at=tx.now)
