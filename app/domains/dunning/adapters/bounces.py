"""Reads what mail servers send back: delivery status notifications (RFC 3464) about mails of ours.

A mail of ours is known by its Message-ID, which holds the notice's id: nobody can guess it who has not had the mail.
Only what failed for good has come back; of a delay the server says so and goes on trying.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Final
from uuid import UUID

FAILED: Final = "failed"
REASON_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Returned:
    """A notice whose mail came back, and what the server said."""

    notice_id: UUID
    reason: str


def returned(message: bytes) -> Returned | None:
    """The notice whose mail this notification says failed; None where it is none, or about no mail of ours."""
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    if parsed.get_content_type() != "multipart/report":
        return None
    failed = [fields for fields in _recipients(parsed) if fields["action"] == FAILED]
    notice_id = next(filter(None, map(_notice_of, _message_ids(parsed))), None)
    if not failed or notice_id is None:
        return None
    return Returned(notice_id, _reason(failed[0]))


def _recipients(report: Message) -> Iterator[dict[str, str]]:
    """What is said of each recipient: action, status, and the other server's words."""
    for part in report.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in part.get_payload():
            if isinstance(block, Message) and (action := _field(block, "Action")):
                yield {
                    "action": action.split()[0].lower(),
                    "status": _field(block, "Status"),
                    "words": _field(block, "Diagnostic-Code").partition(";")[2].strip(),
                }


def _message_ids(report: Message) -> Iterator[str]:
    """The Message-IDs of what is returned, as a whole or its header only, and of what the report answers."""
    for part in report.walk():
        kind = part.get_content_type()
        if kind == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            yield _field(email.message_from_bytes(text if isinstance(text, bytes) else b""), "Message-ID")
        elif part is not report:
            yield _field(part, "Message-ID")
    yield _field(report, "In-Reply-To")
    yield from _field(report, "References").split()


def _notice_of(message_id: str) -> UUID | None:
    """The notice in a Message-ID of ours, `<notice@domain>`."""
    name = message_id.strip().strip("<>").partition("@")[0]
    try:
        return UUID(name) if len(name) == 36 else None
    except ValueError:
        return None


def _reason(fields: dict[str, str]) -> str:
    words = " ".join(f"{fields['status']} {fields['words']}".split())
    printable = "".join(mark for mark in words if mark.isprintable())
    return printable[:REASON_MAX].strip() or FAILED


def _field(part: Message, name: str) -> str:
    """A header as text; empty where it is missing or can't be read."""
    try:
        return " ".join(str(part.get(name, "")).split())
    except (ValueError, LookupError, IndexError, AttributeError):
        return ""  # the parser reads headers when they are asked for, and trips over some
