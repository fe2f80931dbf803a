"""Groups: chains of parent customers, never circles, at most `MAX_DEPTH` long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.domains.customers.core.refusals import GroupTooDeep, ParentCycle
from app.kernel.errors import Fault

MAX_DEPTH: Final = 20
"""Customers in the longest chain from a member up to the head of its group."""

_POINTER: Final = "/parent_id"


def check_parent(customer_id: str, parent_chain: Sequence[str], *, height: int) -> None:
    """Refuses a parent that would make a circle or a chain longer than `MAX_DEPTH`.

    `parent_chain` is the new parent and its ancestors, nearest first; `height` is the number of levels from the
    customer down to its lowest descendant, 1 without any. Raises `ParentCycle` or `GroupTooDeep`.
    """
    if customer_id in parent_chain:
        message = f"{parent_chain[0]!r} belongs to the group of {customer_id!r}"
        raise ParentCycle(message, faults=[Fault(_POINTER, ParentCycle.code, message)])
    if len(parent_chain) + height > MAX_DEPTH:
        message = f"a group has at most {MAX_DEPTH} levels"
        raise GroupTooDeep(message, faults=[Fault(_POINTER, GroupTooDeep.code, message)])
