"""Paper: sheets as PDF."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from app.domains.receivables.core.sheets import Sheet
from app.infra import typesetting

TEMPLATE: Final = Path(__file__).with_name("templates") / "sheet.typ"


async def pdf(sheet: Sheet, *, at: datetime) -> bytes:
    """The sheet as PDF, created `at` that instant. Raises `TypesetterBusy`."""
    return await typesetting.pdf(TEMPLATE, sheet.paper, at=at)
