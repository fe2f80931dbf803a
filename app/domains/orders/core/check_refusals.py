"""What the credit check refuses, by name."""

from __future__ import annotations

from app.kernel.errors import Busy, Invalid


class ReplacedOrderUnknown(Invalid):
    """An order that is to be replaced is no other order of the same account."""

    code = "replaced_order_unknown"
    title = "The replaced order is not known"


class DeskFull(Busy):
    """More checks are waiting than the desk can decide in good time."""

    code = "desk_full"
    title = "The credit desk is full"


class DeskClosed(Busy):
    """The server is shutting down."""

    code = "desk_closed"
    title = "The credit desk is closing"
