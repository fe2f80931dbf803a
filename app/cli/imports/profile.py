"""Profiles: how the exports of one system are to be read, as a small YAML document.

    encoding: cp1252            any text encoding that Python knows; default utf-8, with or without a byte order mark
    delimiter: ";"              default: whichever of , ; | and the tabulator the first line has most of
    dates: DD.MM.YYYY           default YYYY-MM-DD
    decimals: 1.234,56          1234.56 as the export writes it; default 1234.56
    invoices:                   one section for each kind of file
      invoice_no: Document Number                     our field: their column
      kind: {column: Document Type, values: {RV: invoice, DG: credit_note, DZ: skip}}
      amount: {column: Amount, sign: drop}
      currency: {constant: EUR}
      payment_ref: {template: "{Clearing Document}/{Document Number}"}

Everything in YAML is read as text: `NO` is Norway, `007` is an account.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from app.cli.imports.formats import day_reader, number_reader
from app.infra.http.fields import Wire

MAX_PROFILE_BYTES: Final = 64 * 1024
SKIP: Final = "skip"
"""The value that says: such lines are none of ours."""
AUTO: Final = "auto"


class Kind(StrEnum):
    """What a file is full of."""

    CUSTOMERS = "customers"
    LIMITS = "limits"
    ORDERS = "orders"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    FX_RATES = "fx-rates"
    STATEMENTS = "statements"
    REPORTS = "reports"
    COVERS = "covers"
    INTEREST_RATES = "interest-rates"


class ProfileInvalid(Exception):
    """The profile cannot be used; the message says why, for people."""


class Rule(Wire):
    """Where a field comes from, and what is done with it on the way.

    One of `column`, `constant` and `template` (text with {Column} in it). An empty text is `default`. `values` are
    translations, `*` any other text, `skip` a line to pass over. `sign` drops or turns the sign of a number;
    `percent_of` names the column that the number is a percentage of.
    """

    column: str | None = None
    constant: str | None = None
    template: str | None = None
    default: str | None = None
    values: dict[str, str] = Field(default_factory=dict, max_length=500)
    sign: Literal["keep", "drop", "turn"] = "keep"
    percent_of: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.column, self.constant, self.template)) != 1:
            raise ValueError("give one of column, constant and template")
        return self


def _encoding(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"{name!r} is not an encoding") from None
    return "utf-8-sig" if known == "utf-8" else known


def _delimiter(text: str) -> str:
    if text != AUTO and (len(text) != 1 or text in '"\r\n'):
        raise ValueError("a delimiter is one character, or auto")
    return text


def _dates(pattern: str) -> str:
    day_reader(pattern)
    return pattern


def _decimals(example: str) -> str:
    number_reader(example)
    return example


def _short(rule: object) -> object:
    """A text is short for the column of that name."""
    return {"column": rule} if isinstance(rule, str) else rule


Rules = dict[str, Annotated[Rule, BeforeValidator(_short)]]


class Profile(Wire):
    """How one system writes its exports, and which column is which field."""

    about: str = ""
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, AfterValidator(_delimiter)] = AUTO
    dates: Annotated[str, AfterValidator(_dates)] = "YYYY-MM-DD"
    decimals: Annotated[str, AfterValidator(_decimals)] = "1234.56"
    customers: Rules = Field(default_factory=dict)
    limits: Rules = Field(default_factory=dict)
    orders: Rules = Field(default_factory=dict)
    invoices: Rules = Field(default_factory=dict)
    payments: Rules = Field(default_factory=dict)
    fx_rates: Rules = Field(default_factory=dict, alias="fx-rates")
    statements: Rules = Field(default_factory=dict)
    reports: Rules = Field(default_factory=dict)
    covers: Rules = Field(default_factory=dict)
    interest_rates: Rules = Field(default_factory=dict, alias="interest-rates")

    def rules_of(self, kind: Kind) -> Mapping[str, Rule]:
        """The rules for one kind of file, by field."""
        rules: Mapping[str, Rule] = getattr(self, kind.value.replace("-", "_"))
        return rules

    def with_rules(self, kind: Kind, rules: Mapping[str, Rule], **form: str | None) -> Profile:
        """This profile with other `rules` for some fields of a kind, and what is given of its form.

        Raises `ProfileInvalid`.
        """
        said = self.model_dump(by_alias=True, exclude_unset=True)
        said |= {name: value for name, value in form.items() if value is not None}
        said[kind.value] = {**self.rules_of(kind), **rules}
        return _validated(said)


def load(name: str) -> Profile:
    """The ready profile called `name`, or the one in the file of that name. Raises `ProfileInvalid`."""
    ready = resources.files(__package__).joinpath("profiles", f"{name}.yaml")
    if name in ready_profiles():
        return parse(ready.read_text(encoding="utf-8"))
    path = Path(name)
    if not path.is_file():
        raise ProfileInvalid(f"there is no file {name}, and the ready profiles are {', '.join(ready_profiles())}")
    if path.stat().st_size > MAX_PROFILE_BYTES:
        raise ProfileInvalid(f"{name} is larger than {MAX_PROFILE_BYTES:,} bytes: is it a profile?")
    return parse(path.read_text(encoding="utf-8-sig"))


def parse(text: str) -> Profile:
    """The profile in a YAML document. Raises `ProfileInvalid`."""
    try:
        # The base loader makes texts, lists and mappings only: nothing is constructed, and `NO` stays `NO`.
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise ProfileInvalid(f"not YAML: {error}") from None
    return _validated(document or {})


def ready_profiles() -> list[str]:
    """The names of the profiles that come with Headroom."""
    found = resources.files(__package__).joinpath("profiles").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in found if file.name.endswith(".yaml"))


def delimiter_of(header: str) -> str:
    """The delimiter that splits the first line of a file into most columns."""
    return max(",;\t|", key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))


def _validated(document: Any) -> Profile:
    try:
        return Profile.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the profile"
        raise ProfileInvalid(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
