"""PDF documents from typst templates: letters, statements.

    pdf = await typesetting.pdf(TEMPLATES / "letter.typ", {"customer": "华星贸易"}, at=tx.now)

A template reads its data as JSON, so that nothing in them is ever taken for markup:

    #let data = json(bytes(sys.inputs.data))
    #set text(font: ("Noto Sans", "Noto Sans CJK SC"))

It may use only the files of its own directory and the fonts of `app/infra/fonts`: a page looks the same on every
machine, and the same template, data and instant give the same bytes. Compiling takes milliseconds of CPU and runs in
threads beside the event loop, with room for a bounded number at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Final

import orjson
import typst

from app.kernel.errors import Busy

FONTS: Final = Path(__file__).with_name("fonts")
FONT_FAMILIES: Final = ("Noto Sans", "Noto Sans CJK SC")
"""Latin, Greek and Cyrillic, regular and bold; every character of GBK. docs/decisions says how the files were made."""
THREADS: Final = 2
WAITING_MAX: Final = 64
"""Documents under way or waiting in a process: more are refused, for each keeps its data in memory."""
DEADLINE_SECONDS: Final = 20.0
DATA_BYTES_MAX: Final = 8_000_000

_THREADS: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="typesetting")
_ROOM: Final = BoundedSemaphore(WAITING_MAX)


class TypesetterBusy(Busy):
    """Too many documents are being typeset, or this one did not get ready in time."""

    code = "typesetter_busy"
    title = "Too many documents at once"


class TemplateFailed(Exception):
    """The template can't be typeset with this data: a defect of the template, which whoever replaced it has to mend."""


async def pdf(
    template: Path, data: Mapping[str, Any], *, at: datetime, deadline_seconds: float = DEADLINE_SECONDS
) -> bytes:
    """The PDF that the typst file `template` makes of `data` (anything that JSON can say; decimals become texts).

    `at` is the document's date of creation, to the second. Raises `TypesetterBusy` and `TemplateFailed`.
    """
    document = orjson.dumps(data, default=str)
    if len(document) > DATA_BYTES_MAX:
        raise TemplateFailed(f"{template.name}: more than {DATA_BYTES_MAX} bytes of data")
    if not _ROOM.acquire(blocking=False):
        raise TypesetterBusy(f"{WAITING_MAX} documents are waiting", retry_after=1)
    work = _THREADS.submit(_compile, template, document.decode(), at.replace(microsecond=0))
    work.add_done_callback(lambda _: _ROOM.release())  # a thread past its deadline keeps its place until it ends
    try:
        async with asyncio.timeout(deadline_seconds):
            return await asyncio.wrap_future(work)
    except TimeoutError:
        raise TypesetterBusy(f"{template.name} was not ready in {deadline_seconds} s", retry_after=5) from None


def _compile(template: Path, document: str, at: datetime) -> bytes:
    try:
        compiler = typst.Compiler(template, root=template.parent, font_paths=_fonts(), ignore_system_fonts=True)
        made = compiler.compile(format="pdf", sys_inputs={"data": document}, timestamp=at)
    except (RuntimeError, OSError) as error:
        raise TemplateFailed(f"{template.name}: {error}") from error
    assert isinstance(made, bytes), "a PDF is one file"
    return made


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
