"""`If-Match` against a version."""

from __future__ import annotations

import pytest

from app.infra.http.etag import IfMatchMalformed, IfMatchRequired, VersionStale, check_if_match, etag


class TestCheckIfMatch:
    @pytest.mark.parametrize("header", [None, '"7"', "*", '"6", "7"', ' "7" '])
    def test_admits_the_current_version(self, header: str | None) -> None:
        check_if_match(header, 7)

    @pytest.mark.parametrize("header", ['"6"', 'W/"7"', '"6", W/"7"', '""'])
    def test_refuses_any_other(self, header: str) -> None:
        with pytest.raises(VersionStale):
            check_if_match(header, 7)

    @pytest.mark.parametrize("header", ["7", '"7', "", '"7" "8"'])
    def test_refuses_what_is_no_entity_tag(self, header: str) -> None:
        with pytest.raises(IfMatchMalformed):
            check_if_match(header, 7)

    def test_refuses_every_tag_of_what_is_not_there(self) -> None:
        for header in ("*", '"1"'):
            with pytest.raises(VersionStale):
                check_if_match(header, None)

    def test_may_be_required(self) -> None:
        with pytest.raises(IfMatchRequired):
            check_if_match(None, 7, required=True)

    def test_takes_what_etag_gives(self) -> None:
        check_if_match(etag(12), 12, required=True)
