"""Why a line of a file is refused before anybody is asked to post it."""

from __future__ import annotations

from app.kernel.errors import Invalid


class LineMalformed(Invalid):
    """The line has not as many columns as the first line names."""

    code = "line_malformed"
    title = "The line does not fit the header"


class ValueUnreadable(Invalid):
    """A value is not written as the profile says."""

    code = "value_unreadable"
    title = "A value cannot be read"


class FieldMissing(Invalid):
    """The line says nothing where something is needed."""

    code = "field_missing"
    title = "A value is missing"


class LineRepeated(Invalid):
    """Another line of the same file speaks of the same thing: nobody can tell which of them holds."""

    code = "line_repeated"
    title = "Another line speaks of the same"


class LimitCurrencyDiffers(Invalid):
    """A limit is in the currency of its account, and the line names another."""

    code = "limit_currency_differs"
    title = "The limit is in another currency than the account"


class RateContradicted(Invalid):
    """Another line of the same file has another rate for the day."""

    code = "rate_contradicted"
    title = "The file has two rates for one day"
