"""What is handed to a channel, what comes back, and why it may not be carried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domains.dunning.core.recipients import Recipient
from app.domains.policies.core.dunning import DunningChannel


@dataclass(frozen=True, slots=True)
class Parcel:
    """One notice on its way by one channel. `content` is all that templates may say; `at` is the instant of sending."""

    notice_id: UUID
    reference: str
    channel: DunningChannel
    recipient: Recipient
    content: Mapping[str, Any]
    at: datetime

    @property
    def contact_ids(self) -> list[UUID]:
        """The contacts that the parcel names, in content and address."""
        return sorted(set(self.recipient.contacts.values()))


@dataclass(frozen=True, slots=True)
class Carried:
    """What has gone out, byte for byte."""

    media_type: str
    body: bytes


class Undeliverable(Exception):
    """The channel could not carry the parcel; unless it is `lasting` it may in a moment."""

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
