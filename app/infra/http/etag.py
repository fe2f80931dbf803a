"""Concurrent edits: a strong ETag out of a resource's version, `If-Match` against it (RFC 9110 §13.1.1)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Header

from app.kernel.errors import Invalid, Stale, Unconditional

_TAG: Final = re.compile(r'\s*(W/)?"([^"]*)"\s*')

IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=1024, description="ETag of the version edited")]
"""The header parameter of a route that edits."""


class VersionStale(Stale):
    """The resource has moved on since the caller read it."""

    code = "version_stale"
    title = "The resource has changed since it was read"


class IfMatchRequired(Unconditional):
    """This edit has to say which version it edits."""

    code = "if_match_required"
    title = "If-Match is required"


class IfMatchMalformed(Invalid):
    """`If-Match` is neither `*` nor a list of entity tags."""

    code = "if_match_malformed"
    title = "Malformed If-Match"


def etag(version: int) -> str:
    """The strong ETag of `version`."""
    return f'"{version}"'


def check_if_match(header: str | None, version: int | None, *, required: bool = False) -> None:
    """Refuses an edit of a resource at `version` (None: there is none yet) that `If-Match` does not admit.

    Raises `VersionStale`, `IfMatchMalformed` and, where `required` and the header is absent, `IfMatchRequired`.
    """
    if header is None:
        if required:
            raise IfMatchRequired("send the ETag of the version you edit as If-Match")
        return
    admitted = version is not None and (header.strip() == "*" or etag(version) in _strong_tags(header))
    if not admitted:
        raise VersionStale("read the resource again and repeat the edit on what it says now")


def _strong_tags(header: str) -> set[str]:
    found = [_TAG.fullmatch(part) for part in header.split(",")]
    if header.strip() != "*" and not all(found):
        raise IfMatchMalformed('If-Match is * or entity tags such as "7"')
    return {f'"{match[2]}"' for match in found if match and not match[1]}
