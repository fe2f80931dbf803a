"""Upward effects: which slices react to which events, in the transaction of the event, in this order.

A slice never calls a slice above it. It emits an event; whoever has to act on it before the commit is named here, and
this file is the only one that knows both.
"""

from __future__ import annotations

from typing import Final

from app.domains.customers.core.events import CustomerChanged
from app.domains.exposure import service as exposure
from app.infra.transaction import Reactions

REACTIONS: Final[Reactions] = {
    CustomerChanged: (exposure.regroup,),
}
