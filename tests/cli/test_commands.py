"""The command line, against a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import main
from app.cli.serve import prepare
from app.infra.db import migrating
from app.settings import Settings

Headroom = Callable[..., Awaitable[Result]]


@pytest.fixture
def headroom(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Headroom:
    """Runs a command as a shell would."""
    monkeypatch.setenv("HEADROOM_DATABASE_URL", database_url)
    monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))

    return run


class TestKeys:
    async def test_are_made_listed_and_revoked(self, headroom: Headroom) -> None:
        made = await headroom("keys", "create", "SAP", "--role", "integration")
        assert made.exit_code == 0, made.output
        assert made.output.startswith("hr_live_")
        listed = await headroom("keys", "list")
        assert "SAP" in listed.output
        assert made.output.strip() not in listed.output

    async def test_need_a_scope(self, headroom: Headroom) -> None:
        assert (await headroom("keys", "create", "SAP")).exit_code == 2

    async def test_that_break_the_segregation_of_duties_are_made_with_a_warning(self, headroom: Headroom) -> None:
        made = await headroom("keys", "create", "Jo", "--scope", "limits:request", "--scope", "limits:approve")
        assert made.exit_code == 0
        assert made.stdout.startswith("hr_live_")
        assert made.stderr == (
            "warning: limit_requester_approves: who requests a limit neither approves nor sets one "
            "(limits:approve limits:request)\n"
        )
        assert (await headroom("keys", "create", "SAP", "--role", "integration")).stderr == ""

    async def test_of_a_name_are_made_once(self, headroom: Headroom) -> None:
        await headroom("keys", "create", "SAP", "--scope", "admin")
        again = await headroom("keys", "create", "SAP", "--scope", "admin")
        assert again.exit_code == 1
        assert "api_key_name_taken" in again.output

    async def test_that_are_not_there_cannot_be_revoked(self, headroom: Headroom) -> None:
        result = await headroom("keys", "revoke", "00000000-0000-7000-8000-000000000000")
        assert result.exit_code == 1
        assert "api_key_not_found" in result.output


class TestMigrate:
    async def test_says_where_the_database_is(self, headroom: Headroom) -> None:
        assert migrating.head() in (await headroom("migrate")).output


class TestServe:
    async def test_prints_a_first_key_once(self, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        settings = Settings(database_url=database_url)
        await prepare(settings)
        first = capsys.readouterr().out
        await prepare(settings)
        assert "hr_live_" in first
        assert capsys.readouterr().out == ""

    async def test_prints_none_where_a_bootstrap_key_is_set(
        self, database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HEADROOM_BOOTSTRAP_KEY", "b" * 32)
        await prepare(Settings(database_url=database_url))
        assert capsys.readouterr().out == ""

    async def test_refuses_settings_by_name(self, headroom: Headroom, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HEADROOM_TIME_ZONE", "Mars/Olympus")
        result = await headroom("serve")
        assert result.exit_code == 2
        assert "HEADROOM_TIME_ZONE: is not an IANA time zone" in result.output


class TestOpenapi:
    async def test_is_written_and_checked(self, headroom: Headroom, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "api.json"
        assert (await headroom("openapi", "--check", "--path", str(path))).exit_code == 1
        assert (await headroom("openapi", "--path", str(path))).exit_code == 0
        assert (await headroom("openapi", "--check", "--path", str(path))).exit_code == 0
        path.write_text(path.read_text().replace("Headroom", "Footroom"))
        assert (await headroom("openapi", "--check", "--path", str(path))).exit_code == 1


class TestSettings:
    async def test_are_printed_as_a_table(self, headroom: Headroom) -> None:
        assert "| `HEADROOM_DATABASE_URL` |" in (await headroom("settings")).output


class TestRoutes:
    async def test_are_printed_with_their_scopes(self, headroom: Headroom) -> None:
        printed = (await headroom("routes")).output
        assert "| `POST /v1/api-keys` | `keys:write` |" in printed
        assert "| `GET /v1/events` | `journal:read` |" in printed
        assert "|  |" not in printed
