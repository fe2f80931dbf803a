"""The example of an agency, against a real server that is good, slow, failing or talking nonsense."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import pytest
import pytest_asyncio

from app.domains.credit_data.adapters import (
    ATTEMPTS,
    MAX_ANSWER,
    CreditSource,
    HttpSource,
    NoSource,
    SourceUnavailable,
    SourceUnusable,
)
from app.domains.credit_data.core.orders import Inquiry
from app.domains.credit_data.core.reports import Scale
from app.kernel.money import Money
from tests.domains.credit_data.agency import (
    Agency,
    Answer,
    answering,
    hang_up,
    opened,
    reporting,
    silence,
    trickle,
)

RED_STAR = Inquiry("C1", "北京红星贸易有限公司", "CN", "CN-USCC", "91110000600037341L")


@pytest_asyncio.fixture(loop_scope="session")
async def agency() -> AsyncIterator[Agency]:
    async with opened() as agency:
        yield agency


class Patience:
    """Sleeps no time, and remembers how long it should have been."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


def source_at(agency: Agency, patience: Patience | None = None) -> HttpSource:
    return HttpSource(agency.url, agency="Bureau", token="s3cret", deadline_seconds=0.3, sleep=patience or Patience())


class TestReports:
    async def test_are_read(self, agency: Agency) -> None:
        report = await source_at(agency).fetch(RED_STAR)
        assert report is not None
        assert (report.agency, report.report_ref, report.reported_on) == ("Bureau", "CR-77", date(2026, 2, 27))
        assert report.scale == Scale(Decimal(1), Decimal(100), higher_is_better=True)
        assert report.recommended_limit == Money(Decimal(25000), "EUR")

    async def test_are_asked_for_by_what_identifies_the_company(self, agency: Agency) -> None:
        await source_at(agency).fetch(RED_STAR)
        [asked] = agency.asked
        assert asked.startswith("GET /v2/reports?country=CN&name=%E5%8C%97")
        assert "scheme=CN-USCC&number=91110000600037341L" in asked
        assert "Authorization: Bearer s3cret\r\n" in asked

    async def test_on_an_unknown_company_are_none(self, agency: Agency) -> None:
        agency.script = [answering(404)]
        assert await source_at(agency).fetch(Inquiry("C1", "Nobody", "CN")) is None
        assert len(agency.asked) == 1


class TestFailures:
    @pytest.mark.parametrize("first", [answering(500), answering(503), answering(429), hang_up, silence, trickle])
    async def test_that_another_try_may_cure_are_tried_again(self, agency: Agency, first: Answer) -> None:
        agency.script = [first, reporting()]
        patience = Patience()
        assert await source_at(agency, patience).fetch(RED_STAR) is not None
        assert patience.pauses == [0.5]

    @pytest.mark.parametrize("always", [answering(502), hang_up, silence])
    async def test_end_after_some_tries_with_growing_pauses(self, agency: Agency, always: Answer) -> None:
        agency.script = [always]
        patience = Patience()
        with pytest.raises(SourceUnavailable):
            await source_at(agency, patience).fetch(RED_STAR)
        assert len(agency.asked) == ATTEMPTS
        assert patience.pauses == [0.5, 1.0]

    async def test_are_waited_for_as_long_as_the_agency_asks(self, agency: Agency) -> None:
        agency.script = [answering(429, Retry_After="7"), reporting()]
        patience = Patience()
        await source_at(agency, patience).fetch(RED_STAR)
        assert patience.pauses == [7.0]

    async def test_are_not_waited_for_beyond_measure(self, agency: Agency) -> None:
        agency.script = [answering(503, Retry_After="3600"), reporting()]
        with pytest.raises(SourceUnavailable):
            await source_at(agency).fetch(RED_STAR)
        assert len(agency.asked) == 1

    async def test_to_connect_are_failures_like_others(self) -> None:
        source = HttpSource("http://127.0.0.1:9", agency="Bureau", sleep=Patience())
        with pytest.raises(SourceUnavailable, match="can't be reached"):
            await source.fetch(RED_STAR)

    @pytest.mark.parametrize(
        "nonsense",
        [
            answering(200, b"<html>maintenance</html>"),
            answering(200, b""),
            answering(200, b"[]"),
            answering(200, b"\xff\xfe"),
            reporting(reported_on="yesterday"),
            reporting(score=6.3),
            reporting(probability_of_default="7"),
            reporting(report_ref="x" * 65),
            answering(200, b" " * (MAX_ANSWER + 1)),
            answering(401),
            answering(400),
            answering(302, Location="http://127.0.0.1:9/elsewhere"),
        ],
    )
    async def test_that_no_try_can_cure_end_at_once(self, agency: Agency, nonsense: Answer) -> None:
        agency.script = [nonsense]
        with pytest.raises(SourceUnusable, match="Bureau"):
            await source_at(agency).fetch(RED_STAR)
        assert len(agency.asked) == 1


class TestNoSource:
    async def test_knows_nobody(self) -> None:
        source: CreditSource = NoSource()
        assert await source.fetch(RED_STAR) is None
