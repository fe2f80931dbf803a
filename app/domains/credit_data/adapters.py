"""Agencies that deliver reports over an API, behind one protocol.

An agency costs money and may be slow, away or wrong. So whoever asks one is outside every transaction, waits a bounded
time, and reads a bounded answer; an adapter tries again only what another try can cure, and gives up by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Final, Protocol

import httpx
from pydantic import ConfigDict, Field, ValidationError

from app.domains.credit_data.core.orders import Inquiry
from app.domains.credit_data.core.reports import CreditReport, Scale
from app.infra.http.fields import (
    AmountText,
    BusinessDay,
    CurrencyCode,
    Flag,
    Line,
    NonNegativeAmount,
    Reference,
    Wire,
)
from app.kernel.money import Money

ATTEMPTS: Final = 3
PAUSE_SECONDS: Final = 0.5
"""The pause after the first failure; it doubles with each."""
MAX_PAUSE_SECONDS: Final = 10.0
"""The longest pause that an agency may ask for by `Retry-After`; beyond that the order waits for its next turn."""
DEADLINE_SECONDS: Final = 20.0
"""For one try from connecting to the last byte, whatever trickles in meanwhile."""
TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
MAX_ANSWER: Final = 256 * 1024
_TRY_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class SourceUnavailable(Exception):
    """The agency could not be asked or did not answer in time: another time it may."""


class SourceUnusable(Exception):
    """The agency has answered with what is no report, or will not serve us: asking again would change nothing."""


class CreditSource(Protocol):
    """An agency that reports on companies."""

    @property
    def agency(self) -> str:
        """Its name, as reports bear it."""
        ...

    async def fetch(self, inquiry: Inquiry) -> CreditReport | None:
        """Its report on a company; null if it knows none. Raises `SourceUnavailable`, `SourceUnusable`."""
        ...


class NoSource:
    """The null twin: an agency that knows nobody, for tests and for trying an installation out."""

    def __init__(self, agency: str = "nobody") -> None:
        self.agency = agency

    async def fetch(self, inquiry: Inquiry) -> CreditReport | None:
        """Nothing, of anybody."""
        return None


class _Scale(Wire):
    min: AmountText
    max: AmountText
    higher_is_better: Flag


class _Limit(Wire):
    amount: NonNegativeAmount
    currency: CurrencyCode


class _Answer(Wire):
    """What the agency's API answers. Of what it says beside this, nothing is read."""

    model_config = ConfigDict(extra="ignore")

    report_ref: Reference
    reported_on: BusinessDay
    score: AmountText | None = None
    scale: _Scale | None = None
    rating: Annotated[Line, Field(max_length=20)] | None = None
    probability_of_default: Annotated[NonNegativeAmount, Field(le=1)] | None = None
    recommended_limit: _Limit | None = None

    def report(self, agency: str) -> CreditReport:
        """As the core knows it."""
        reported_on: date = self.reported_on
        return CreditReport(
            agency=agency,
            report_ref=self.report_ref,
            reported_on=reported_on,
            score=self.score,
            scale=Scale(self.scale.min, self.scale.max, self.scale.higher_is_better) if self.scale else None,
            rating=self.rating,
            probability_of_default=self.probability_of_default,
            recommended_limit=(
                Money(self.recommended_limit.amount, self.recommended_limit.currency)
                if self.recommended_limit
                else None
            ),
        )


class HttpSource:
    """An example of an agency: `GET {url}/reports?country=…&name=…&scheme=…&number=…` with a bearer token answers with
    one report as JSON, and 404 for a company it does not know.

    Another agency is another class with the same two members; what it shares with this one is how patient it is.
    """

    def __init__(
        self,
        url: str,
        *,
        agency: str,
        token: str | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.agency = agency
        self._url = url.rstrip("/")
        self._token = token
        self._deadline_seconds = deadline_seconds
        self._sleep = sleep

    async def fetch(self, inquiry: Inquiry) -> CreditReport | None:
        """The agency's report. Raises `SourceUnavailable` after `ATTEMPTS` tries, `SourceUnusable`."""
        for attempt in range(1, ATTEMPTS + 1):
            status, body, pause = await self._ask(inquiry)
            if status == 404:
                return None
            if status == 200:
                return self._read(body)
            if status is not None and status not in _TRY_LATER:
                raise SourceUnusable(f"{self.agency} answers {status}")
            if attempt == ATTEMPTS or pause > MAX_PAUSE_SECONDS:
                raise SourceUnavailable(f"{self.agency} " + (f"answers {status}" if status else "can't be reached"))
            await self._sleep(max(pause, PAUSE_SECONDS * 2 ** (attempt - 1)))
        raise AssertionError("the last attempt returns or raises")

    async def _ask(self, inquiry: Inquiry) -> tuple[int | None, bytes, float]:
        """Status, body and the pause that is asked for; no status where there was no answer in time."""
        asked = {
            "country": inquiry.country,
            "name": inquiry.name,
            "scheme": inquiry.registration_scheme,
            "number": inquiry.registration_value,
        }
        params = {name: value for name, value in asked.items() if value is not None}
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        try:
            async with (
                asyncio.timeout(self._deadline_seconds),
                httpx.AsyncClient(timeout=TIMEOUT) as client,
                client.stream("GET", f"{self._url}/reports", params=params, headers=headers) as answer,
            ):
                return answer.status_code, await self._body(answer), _pause(answer.headers.get("Retry-After"))
        except (httpx.HTTPError, TimeoutError):
            return None, b"", 0.0

    async def _body(self, answer: httpx.Response) -> bytes:
        body = b""
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER:
                raise SourceUnusable(f"{self.agency} answers with more than {MAX_ANSWER} bytes")
        return body

    def _read(self, body: bytes) -> CreditReport:
        try:
            return _Answer.model_validate_json(body).report(self.agency)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise SourceUnusable(f"{self.agency} answers with no report: {place}: {first['msg']}") from None


def _pause(retry_after: str | None) -> float:
    """The seconds of `Retry-After`; a date in it is not waited for."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
