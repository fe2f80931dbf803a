"""Mails that come back, as mail servers say it."""

from __future__ import annotations

import asyncio
import mailbox
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli import main
from app.domains.dunning.adapters.bounces import Returned, returned
from app.domains.dunning.adapters.carriers import Outbox
from app.domains.dunning.adapters.stationery import Stationery
from app.infra.clock import FrozenClock
from tests.domains.dunning.world import MAIL, Company
from tests.support.mailbox import Mailbox

DSN = Path(__file__).parent / "dsn"
SERVERS = ("postfix", "exim", "exchange")
LATER = timedelta(days=36_500)
"""The command goes by the clock of the machine, the jobs by the test's."""
NOTICE = UUID("019cadc6-a250-742c-a094-abb2a175b88b")
Bounces = Callable[..., Awaitable[str]]


def notification(server: str, notice_id: object = NOTICE, **changes: str) -> bytes:
    """What a server sends about the mail of a notice, with other words in places."""
    text = (DSN / f"{server}.eml").read_text(encoding="utf-8").replace("NOTICE", str(notice_id))
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    return text.encode().replace(b"\n", b"\r\n")


class TestReturned:
    @pytest.mark.parametrize(
        ("server", "reason"),
        [
            (
                "postfix",
                "5.1.1 550 5.1.1 <jane@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
            ),
            ("exim", "5.0.0 552 5.2.2 Mailbox full"),
            (
                "exchange",
                "5.1.10 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jane@example.com not found",
            ),
        ],
    )
    def test_names_the_notice_and_what_the_server_said(self, server: str, reason: str) -> None:
        assert returned(notification(server)) == Returned(NOTICE, reason)

    @pytest.mark.parametrize("server", SERVERS)
    @pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
    def test_is_nothing_unless_it_failed_for_good(self, server: str, action: str) -> None:
        assert returned(notification(server, **{"Action: failed": f"Action: {action}"})) is None

    def test_is_nothing_about_mails_of_others(self) -> None:
        assert returned(notification("postfix", "CAF.1234-abc")) is None

    def test_is_nothing_where_somebody_only_answers(self) -> None:
        answer = (
            f"From: jane@example.com\r\nIn-Reply-To: <{NOTICE}@seller.example>\r\nSubject: Away\r\n\r\nI am away.\r\n"
        )
        assert returned(answer.encode()) is None

    @given(st.binary(max_size=300), st.sampled_from(SERVERS), st.integers(0, 4000))
    def test_trips_over_nothing(self, noise: bytes, server: str, place: int) -> None:
        whole = notification(server)
        for broken in (noise, whole[:place] + noise + whole[place:], whole[:place]):
            found = returned(broken)
            assert found is None or (found.reason and len(found.reason) <= 200 and found.reason.isprintable())


@pytest.fixture
def bounces(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Bounces:
    """Runs `headroom bounces` as a shell would."""
    monkeypatch.setenv("HEADROOM_DATABASE_URL", database_url)
    monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)

    async def run(*arguments: str, said: bytes = b"") -> str:
        command = ["bounces", *arguments]
        done = await asyncio.to_thread(CliRunner().invoke, main, command, input=said)
        assert done.exit_code == 0, done.output
        return done.output

    return run


@pytest.fixture
async def mailed(company: Company, mailing: Mailbox) -> Any:
    """A notice that has gone out by mail."""
    await company.customer(contacts=MAIL)
    await company.owes()
    await company.reminds()
    return await company.notice()


class TestCommand:
    @pytest.mark.parametrize("server", SERVERS)
    async def test_sends_what_came_back_by_the_next_channel(
        self, company: Company, mailed: Any, bounces: Bounces, clock: FrozenClock, server: str
    ) -> None:
        told = await bounces(said=notification(server, mailed["id"]))
        assert told.startswith("messages: 1; bounced: 1, known before: 0"), told
        company.outbox = Outbox.of(Stationery())
        clock.move(by=LATER)
        await company.works()
        notice = await company.notice()
        assert ([d["channel"] for d in notice["documents"]], await company.level()) == (["email", "letter"], 1)
        assert notice["failures"][-1]["reason"].startswith("5.")

    async def test_hears_of_the_same_mail_once(
        self, company: Company, mailed: Any, bounces: Bounces, clock: FrozenClock
    ) -> None:
        said = notification("postfix", mailed["id"])
        await bounces(said=said)
        assert "bounced: 0, known before: 1" in await bounces(said=said)
        clock.move(by=LATER)
        await company.works()
        assert "bounced: 0, known before: 1" in await bounces(said=said), "the letter has not come back"
        await company.works()
        assert len((await company.notice())["documents"]) == 2

    async def test_reads_what_is_unseen_in_a_maildir_and_leaves_what_is_for_people(
        self, mailed: Any, bounces: Bounces, tmp_path: Path
    ) -> None:
        box = mailbox.Maildir(tmp_path / "box")
        ours = box.add(notification("exchange", mailed["id"]))
        others = [box.add(notification("exim", NOTICE)), box.add(b"Subject: Your reminder\r\n\r\nWe have paid.\r\n")]
        told = await bounces(str(tmp_path / "box"))
        assert told.strip() == "messages: 3; bounced: 1, known before: 0, not about a reminder that failed: 2"
        assert {key: box.get_message(key).get_flags() for key in (ours, *others)} == {ours: "S"} | dict.fromkeys(
            others, ""
        )
        assert (await bounces(str(tmp_path / "box"))).startswith("messages: 2; bounced: 0")

    async def test_ends_with_2_where_there_is_no_maildir(self, bounces: Bounces, tmp_path: Path) -> None:
        done = await asyncio.to_thread(CliRunner().invoke, main, ["bounces", str(tmp_path / "nowhere")])
        assert (done.exit_code, "can't read bounces" in done.output) == (2, True)
