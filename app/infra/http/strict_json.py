"""Request bodies, read strictly: what two parsers could understand differently is refused.

Duplicate members, NaN and infinities, lone surrogates, NUL, deep nesting and any encoding but UTF-8 are refused by
name, before a schema sees the document.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from email.message import Message
from typing import Any, Final

from starlette.requests import Request

from app.infra.http.problem import pointer
from app.kernel.errors import Fault, Invalid, Malformed, UnsupportedMedia

MAX_DEPTH: Final = 32


class JsonMalformed(Malformed):
    """The body is not one JSON document in UTF-8."""

    code = "json_malformed"
    title = "The body is not valid JSON"


class JsonMemberRepeated(Malformed):
    """An object has the same member twice, and parsers disagree on which one counts."""

    code = "json_member_repeated"
    title = "A member appears twice"


class JsonTooDeep(Malformed):
    """The document nests deeper than any request needs."""

    code = "json_too_deep"
    title = "The body nests too deeply"


class TextUnstorable(Invalid):
    """A text holds NUL or half of a surrogate pair, which no text can."""

    code = "text_unstorable"
    title = "A text holds characters that cannot be stored"


class MediaTypeUnsupported(UnsupportedMedia):
    """The body is not declared as JSON."""

    code = "media_type_unsupported"
    title = "The body has to be application/json"


class StrictRequest(Request):
    """A request whose JSON body has been read strictly, once."""

    document: Any = None

    async def json(self) -> Any:
        """The document that `read` has parsed."""
        return self.document

    async def read(self) -> Any:
        """Parses the body, None if there is none.

        Raises `MediaTypeUnsupported`, `JsonMalformed`, `JsonMemberRepeated`, `JsonTooDeep`, `TextUnstorable`.
        """
        body = await self.body()
        if body:
            _check_media_type(self.headers.get("content-type", ""), self.headers.get("content-encoding", "identity"))
            self.document = parse(body)
        return self.document


def parse(body: bytes) -> Any:
    """The JSON document in `body`; raises like `StrictRequest.read`."""
    try:
        document = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise JsonMalformed("the body is not UTF-8") from None
    except RecursionError:
        raise JsonTooDeep(f"the body nests deeper than {MAX_DEPTH}") from None
    except ValueError as error:  # JSONDecodeError, and integers beyond Python's limit of digits
        raise JsonMalformed(f"the body is not JSON: {error}") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(document)
    if b"\\u" in body:  # the only way for NUL and lone surrogates to get in
        _check_texts(document)
    return document


def _check_media_type(content_type: str, encoding: str) -> None:
    if content_type == "application/json" and encoding == "identity":
        return
    message = Message()
    message["content-type"] = content_type
    kind, charset = message.get_content_type(), message.get_content_charset() or "utf-8"
    is_json = content_type and (
        kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    )
    if not is_json or charset not in ("utf-8", "utf8", "us-ascii") or encoding != "identity":
        raise MediaTypeUnsupported("send the body as application/json in UTF-8, not encoded")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonMemberRepeated(f"the member {twice[:64]!r} appears twice in one object")
    return members


def _no_constant(name: str) -> Any:
    raise JsonMalformed(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonMalformed(f"{text[:32]} is beyond any number we read")
    return number


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
        if not level:
            return
    raise JsonTooDeep(f"the body nests deeper than {MAX_DEPTH}")


def _children(node: Any) -> Iterator[Any]:
    return iter(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())


def _check_texts(document: Any) -> None:
    for where, text in _texts(document, ()):
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            where_text = pointer(where).encode("utf-8", "replace").decode()
            raise TextUnstorable(faults=[Fault(where_text, TextUnstorable.code, "holds NUL or a lone surrogate")])


def _texts(node: Any, where: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, str):
        yield where, node
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _texts(item, (*where, index))
    elif isinstance(node, dict):
        for name, value in node.items():
            yield where, name
            yield from _texts(value, (*where, name))
