"""What happens to API keys."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class ApiKeyCreated(Event):
    """Somebody gave out a key."""

    type: ClassVar[str] = "api_key_created"
    subject_type: ClassVar[str] = "api_key"


class ApiKeyRotated(Event):
    """A key was replaced; the old text works for an overlap."""

    type: ClassVar[str] = "api_key_rotated"
    subject_type: ClassVar[str] = "api_key"


class ApiKeyRevoked(Event):
    """A key stopped working; `before` has its name."""

    type: ClassVar[str] = "api_key_revoked"
    subject_type: ClassVar[str] = "api_key"
