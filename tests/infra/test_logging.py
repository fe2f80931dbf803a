"""Log lines: one JSON object each, with the request they belong to."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.infra.logging import LogFormat, bind_request, configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class TestConfigureLogging:
    def test_writes_one_object_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(LogFormat.JSON)
        bind_request("r-1")
        structlog.get_logger("test").info("decided", outcome="approved")
        logging.getLogger("library").warning("from a %s", "library")
        ours, theirs = lines(capsys)
        assert (ours["event"], ours["outcome"], ours["level"], ours["request_id"]) == (
            "decided",
            "approved",
            "info",
            "r-1",
        )
        assert (theirs["event"], theirs["logger"], theirs["request_id"]) == ("from a library", "library", "r-1")

    def test_leaves_out_what_is_below_the_level(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(LogFormat.JSON, "warning")
        structlog.get_logger("test").info("whispered")
        logging.getLogger("library").info("whispered")
        assert lines(capsys) == []

    def test_writes_exceptions_with_their_stack(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(LogFormat.JSON)
        try:
            raise ValueError("broken")
        except ValueError:
            structlog.get_logger("test").exception("crashed")
        assert "ValueError: broken" in str(lines(capsys)[0]["exception"])

    def test_writes_for_people_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(LogFormat.CONSOLE)
        structlog.get_logger("test").info("decided", outcome="approved")
        written = capsys.readouterr().err
        assert "decided" in written
        assert written.endswith("\n")

    def test_shows_nobody_the_values_of_variables(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(LogFormat.CONSOLE)
        credential = "".join(("Bearer ", "hr_secret"))
        try:
            raise ValueError("broken")
        except ValueError:
            structlog.get_logger("test").exception("crashed")
        written = capsys.readouterr().err
        assert "ValueError: broken" in written
        assert credential not in written

    def test_is_json_where_nobody_watches(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(LogFormat.AUTO)
        structlog.get_logger("test").info("decided")
        assert lines(capsys)[0]["event"] == "decided"
