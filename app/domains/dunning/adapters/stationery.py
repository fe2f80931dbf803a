"""How notices look: HTML and text by Jinja2, letters by typst, words by language, money and dates by locale.

A directory of templates of one's own comes before the ones of the program, file by file: `mail.html.j2`, `mail.txt.j2`,
`letter.typ`, and a folder for each language with `labels.json` and a wording for each template of the policy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.infra import typesetting

BUILT_IN: Final = Path(__file__).parents[1] / "templates"
FALLBACK_LANGUAGE: Final = "en"
FALLBACK_TEMPLATE: Final = "reminder"
_SUMS: Final = ("items", "interest", "fee", "compensation", "earlier_claims", "credits")


@dataclass(frozen=True, slots=True)
class Written:
    """A notice in words: as a mail has it, with an HTML part and a text part."""

    subject: str
    text: str
    html: str


class Stationery:
    """The templates of an installation."""

    def __init__(self, own: Path | None = None) -> None:
        """`own` is a directory of templates that come before those of the program."""
        self._places = (own, BUILT_IN) if own else (BUILT_IN,)
        self._environment = Environment(
            loader=FileSystemLoader(self._places),
            autoescape=select_autoescape(("html", "html.j2")),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
        )
        self.languages = frozenset(
            folder.parent.name for place in self._places for folder in place.glob("*/labels.json")
        )

    def write(self, content: Mapping[str, Any]) -> Written:
        """A notice with this content as a mail."""
        page = self.page(content)
        html = self._environment.get_template("mail.html.j2").render(page)
        text = self._environment.get_template("mail.txt.j2").render(page)
        return Written(page["subject"], text, html)

    async def letter(self, content: Mapping[str, Any], *, at: datetime) -> bytes:
        """A notice with this content as a PDF letter. Raises what `typesetting.pdf` raises."""
        return await typesetting.pdf(self._file("letter.typ"), self.page(content), at=at)

    def page(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content in the words, money and dates of its language: what all templates are given."""
        language = content["language"]
        locale = _locale(_in_language(content.get("locale") or language, language))
        labels = self._labels(language)
        page = _localised(content, labels, locale)
        names = (
            f"{language}/{content['template']}.j2",
            f"{language}/{FALLBACK_TEMPLATE}.j2",
            f"{FALLBACK_LANGUAGE}/{FALLBACK_TEMPLATE}.j2",
        )
        wording = self._environment.select_template(names).make_module(page)
        words = {name: str(getattr(wording, name)).strip() for name in ("subject", "greeting", "opening", "closing")}
        return page | words

    def _labels(self, language: str) -> Mapping[str, str]:
        """The labels of the program with those of the language over them."""
        labels: dict[str, str] = {}
        for folder in (FALLBACK_LANGUAGE, language):
            for place in reversed(self._places):
                file = place / folder / "labels.json"
                if file.is_file():
                    labels |= json.loads(file.read_text(encoding="utf-8"))
        return labels

    def _file(self, name: str) -> Path:
        return next(place / name for place in self._places if (place / name).is_file())


def _localised(content: Mapping[str, Any], labels: Mapping[str, str], locale: Locale) -> dict[str, Any]:
    lines = [_line(line, locale) for line in content["lines"]]
    deadline = _day(content["deadline_on"], locale)
    return {
        **content,
        "labels": labels,
        "date": _day(content["date"], locale, length="long"),
        "deadline": deadline,
        "lines": lines,
        "totals": [_total(total, labels, locale) for total in content["totals"]],
        "rates": [_rate(rate, labels, locale) for rate in content["rates"]],
        "quote": labels["quote"].format(reference=content["reference"]),
    }


def _line(line: Mapping[str, Any], locale: Locale) -> dict[str, Any]:
    def money(member: str) -> str:
        return format_currency(Decimal(line[member]), line["currency"], locale=locale)

    return {
        **line,
        "issued_on": _day(line["issued_on"], locale, length="short"),
        "due_on": _day(line["due_on"], locale, length="short"),
        "days_overdue": str(max(line["days_overdue"], 0)),
        "level": str(line["level"]) if line["level"] else "",
        "amount": money("open"),
        "asked": money("asked"),
        "disputed": money("disputed") if Decimal(line["disputed"]) else "",
    }


def _total(total: Mapping[str, Any], labels: Mapping[str, str], locale: Locale) -> dict[str, Any]:
    def money(member: str, sign: int = 1) -> str:
        return format_currency(sign * Decimal(total[member]), total["currency"], locale=locale)

    shown = [member for member in _SUMS if member == "items" or Decimal(total[member])]
    rows = [{"label": labels[m], "amount": money(m, -1 if m == "credits" else 1)} for m in shown]
    return {"currency": total["currency"], "rows": rows, "net_due": money("net_due")}


def _rate(rate: Mapping[str, Any], labels: Mapping[str, str], locale: Locale) -> str:
    days = {"first": _day(rate["first"], locale, length="short"), "last": _day(rate["last"], locale, length="short")}
    if rate["percent"] is None:
        return labels["rate_missing"].format(**days)
    percent = format_decimal(Decimal(rate["percent"]), locale=locale)
    reference = labels["agreed"] if rate["reference"] == "agreed" else rate["reference"].replace("_", " ")
    return labels["rate"].format(percent=percent, reference=reference, **days)


def _day(text: str, locale: Locale, *, length: str = "long") -> str:
    day = date.fromisoformat(text)
    if length == "short":  # four digits of the year, whatever the locale's short form says
        return format_date(day, format="yyyy-MM-dd" if locale.language in ("zh", "en") else "medium", locale=locale)
    return format_date(day, format=length, locale=locale)


def _in_language(tag: str, language: str) -> str:
    """The locale of the reader's country in the language that is written: no German month in an English sentence."""
    spoken, *_, territory = tag.replace("_", "-").split("-") if "-" in tag or "_" in tag else (tag, "")
    return tag if spoken == language else f"{language}-{territory}".rstrip("-")


@lru_cache(maxsize=64)
def _locale(tag: str) -> Locale:
    """The locale of a language tag; of its language where the territory is not known, of English where neither is."""
    for candidate in (tag.replace("-", "_"), tag.replace("_", "-").split("-")[0]):
        try:
            return Locale.parse(candidate)
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse(FALLBACK_LANGUAGE)
