"""Segments, against a database."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domains.policies import service as policies
from app.domains.policies.core.document import default_document
from app.domains.policies.core.events import SegmentChanged, SegmentOpened
from app.domains.policies.core.refusals import SegmentCurrencyFixed, SegmentReserved, TimeZoneUnknown
from app.infra.http.etag import VersionStale
from app.infra.transaction import Transaction
from app.support.auth.core.principals import SegmentNotFound


class TestMain:
    async def test_is_there_after_the_migrations_with_the_default_policy_active(self, ann: Transaction) -> None:
        main = await policies.segment(ann, segment="main")
        assert (main.currency, main.zone) == ("CNY", ZoneInfo("UTC"))
        active = await policies.active(ann, segment="main")
        assert (active.version, active.document) == (1, default_document())


class TestSegment:
    async def test_refuses_an_unknown_one(self, ann: Transaction) -> None:
        with pytest.raises(SegmentNotFound):
            await policies.segment(ann, segment="eu")
        with pytest.raises(SegmentNotFound):
            await policies.active(ann, segment="eu")


class TestOpenSegment:
    async def test_starts_with_the_default_policy(self, ann: Transaction) -> None:
        segment, opened = await policies.open_segment(
            ann, segment="eu", name="Europe", currency="EUR", time_zone="Europe/Berlin"
        )
        assert opened
        assert (segment.name, segment.currency, segment.zone) == ("Europe", "EUR", ZoneInfo("Europe/Berlin"))
        assert (await policies.active(ann, segment="eu")).document == default_document()
        assert [each.segment for each in await policies.list_segments(ann)] == ["eu", "main"]

    async def test_is_one_event(self, ann: Transaction) -> None:
        await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR")
        (event,) = ann.take_events()
        assert isinstance(event, SegmentOpened)
        assert event.after == {"name": "Europe", "currency": "EUR", "time_zone": "UTC", "policy_version": 1}

    async def test_again_changes_nothing(self, ann: Transaction) -> None:
        await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR")
        ann.take_events()
        segment, opened = await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR")
        assert (opened, segment.version) == (False, 1)
        assert ann.take_events() == ()

    async def test_of_an_open_one_changes_name_and_zone(self, ann: Transaction) -> None:
        await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR")
        ann.take_events()
        segment, _ = await policies.open_segment(
            ann, segment="eu", name="Europe", currency="EUR", time_zone="Europe/Paris"
        )
        (event,) = ann.take_events()
        assert isinstance(event, SegmentChanged)
        assert (event.before, event.after) == ({"time_zone": "UTC"}, {"time_zone": "Europe/Paris"})
        assert (segment.zone, segment.version) == (ZoneInfo("Europe/Paris"), 2)

    async def test_never_changes_the_currency(self, ann: Transaction) -> None:
        with pytest.raises(SegmentCurrencyFixed):
            await policies.open_segment(ann, segment="main", name="Main", currency="EUR")

    @pytest.mark.parametrize("time_zone", ["Mars/Olympus", "../etc/passwd", "", "utc "])
    async def test_refuses_an_unknown_zone(self, ann: Transaction, time_zone: str) -> None:
        with pytest.raises(TimeZoneUnknown) as refused:
            await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR", time_zone=time_zone)
        assert refused.value.faults[0].pointer == "/time_zone"

    async def test_refuses_a_word_of_the_api(self, ann: Transaction) -> None:
        with pytest.raises(SegmentReserved):
            await policies.open_segment(ann, segment="schema", name="Schema", currency="EUR")

    async def test_asks_the_precondition(self, ann: Transaction) -> None:
        def refuse(version: int | None) -> None:
            assert version == 1
            raise VersionStale

        with pytest.raises(VersionStale):
            await policies.open_segment(ann, segment="main", name="X", currency="CNY", precondition=refuse)


class TestSetDefaultTimeZone:
    async def test_moves_the_segments_without_a_zone_of_their_own(self, ann: Transaction) -> None:
        await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR", time_zone="Europe/Berlin")
        ann.take_events()
        await policies.set_default_time_zone(ann, time_zone="Asia/Shanghai")
        assert [each.zone.key for each in await policies.list_segments(ann)] == ["Europe/Berlin", "Asia/Shanghai"]
        (event,) = ann.take_events()
        assert (event.segment, event.after) == ("main", {"time_zone": "Asia/Shanghai"})

    async def test_again_says_nothing(self, ann: Transaction) -> None:
        await policies.set_default_time_zone(ann, time_zone="Asia/Shanghai")
        ann.take_events()
        await policies.set_default_time_zone(ann, time_zone="Asia/Shanghai")
        assert ann.take_events() == ()

    async def test_holds_for_segments_opened_later(self, ann: Transaction) -> None:
        await policies.set_default_time_zone(ann, time_zone="Asia/Shanghai")
        segment, _ = await policies.open_segment(ann, segment="eu", name="Europe", currency="EUR")
        assert segment.zone == ZoneInfo("Asia/Shanghai")
        assert segment.zone.utcoffset(ann.now) == timedelta(hours=8)

    async def test_refuses_an_unknown_zone(self, ann: Transaction) -> None:
        with pytest.raises(TimeZoneUnknown):
            await policies.set_default_time_zone(ann, time_zone="Mars/Olympus")
