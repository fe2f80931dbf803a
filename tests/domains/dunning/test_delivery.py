"""Delivery: over a real mail server, by letter, by webhook, by call; what fails goes on by the next channel."""

from __future__ import annotations

import asyncio
import hashlib
import io
import unicodedata
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from pypdf import PdfReader

from app.domains.dunning import service as dunning
from app.domains.dunning.adapters.carriers import Outbox, SmtpServer, Webhook
from app.domains.dunning.adapters.stationery import Stationery
from app.domains.policies.core.dunning import DunningChannel
from app.infra.clock import FrozenClock
from app.infra.db.paging import PageRequest
from tests.domains.dunning.world import ANN, LEVELS, MAIL, Company
from tests.support.mailbox import Mailbox


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


class TestMail:
    async def test_has_a_text_part_and_an_html_part_with_everything(self, company: Company, mailing: Mailbox) -> None:
        await company.customer(contacts=MAIL, country="GB", language="en-GB")
        await company.owes("INV/7", amount="1234.50")
        await company.reminds()
        [message] = mailing.taken
        notice = await company.notice()
        assert message["To"] == "jane@example.com"
        assert notice["reference"] in message["Subject"]
        for kind in ("plain", "html"):
            words = text_of(message, kind)
            assert all(said in words for said in ("Dear Jane", "INV/7", "CN¥1,234.50", notice["reference"]))

    async def test_speaks_the_customer_s_language(self, company: Company, mailing: Mailbox) -> None:
        await company.customer(contacts=MAIL, country="CN", language="zh-CN")
        await company.owes(amount="1234.50")
        await company.reminds()
        assert "付款提醒函" in mailing.taken[0]["Subject"]
        assert "¥1,234.50" in text_of(mailing.taken[0], "plain")

    async def test_shows_what_is_in_the_books_and_runs_nothing(self, company: Company, mailing: Mailbox) -> None:
        name = "<script>alert(1)</script>"
        await company.customer(contacts=[{**MAIL[0], "name": name}])
        await company.owes()
        await company.reminds()
        assert "<script>" not in text_of(mailing.taken[0], "html")

    async def test_is_kept_as_it_was_sent_with_its_digest_in_the_journal(
        self, company: Company, mailing: Mailbox
    ) -> None:
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        [document] = (await company.notice())["documents"]
        [event] = await company.events("dunning_notice_sent")
        assert document["digest"] == event["after"]["digest"]
        assert (document["channel"], document["media_type"]) == ("email", "message/rfc822")

    async def test_that_is_refused_goes_on_as_a_letter(self, company: Company, mailing: Mailbox) -> None:
        mailing.answers = ["550 no such user"]
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        notice = await company.notice()
        assert (notice["state"], notice["sent_by"]) == ("sent", "letter")
        assert notice["failures"][0]["channel"] == "email"
        assert mailing.taken == []

    async def test_that_is_put_off_is_tried_again_before_the_next_channel(
        self, company: Company, mailing: Mailbox, clock: FrozenClock
    ) -> None:
        mailing.answers = ["451 busy", "451 busy"]
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        assert (await company.notice())["state"] == "released"
        for _ in range(2):
            clock.move(by=timedelta(minutes=15))
            await company.works()
        assert (await company.notice())["sent_by"] == "email"
        assert len(mailing.taken) == 1

    async def test_that_no_server_takes_becomes_a_letter_after_three_tries(
        self, company: Company, clock: FrozenClock
    ) -> None:
        company.outbox = Outbox.of(Stationery(), smtp=SmtpServer("127.0.0.1", 1, "a@b.example", security="none"))
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        for _ in range(3):
            clock.move(by=timedelta(minutes=20))
            await company.works()
        notice = await company.notice()
        assert (notice["sent_by"], len(notice["failures"])) == ("letter", 3)

    async def test_that_bounces_later_goes_by_the_next_channel_and_keeps_its_level(
        self, company: Company, mailing: Mailbox, clock: FrozenClock
    ) -> None:
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        notice = await company.notice()
        path = f"dunning-notices/{notice['id']}/bounced"
        await company.post(path, {"reason": "mailbox full"})
        refused = await company.post(path, {"reason": "again"}, status=409)
        assert refused["code"] == "dunning_notice_not_sent"
        for _ in range(3):
            await company.works()
            clock.move(by=timedelta(minutes=11))
        again = await company.notice()
        assert (again["state"], again["sent_by"], await company.level()) == ("sent", "letter", 1)
        assert [document["channel"] for document in again["documents"]] == ["email", "letter"]

    async def test_that_bounces_after_all_is_paid_is_not_sent_again_unless_the_payment_bounces_too(
        self, company: Company, mailing: Mailbox
    ) -> None:
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        await company.pays("100.00")
        notice = await company.notice()
        await company.post(f"dunning-notices/{notice['id']}/bounced", {"reason": "mailbox full"})
        await company.works()
        assert len((await company.notice())["documents"]) == 1
        await company.post("payments/PAY-1/reverse", {"reason": "bounced"})
        await company.works()
        assert [document["channel"] for document in (await company.notice())["documents"]] == ["email", "letter"]

    async def test_that_is_put_off_can_be_dropped_until_the_next_try(self, company: Company, mailing: Mailbox) -> None:
        mailing.answers = ["451 busy"]
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        notice = await company.notice()
        assert (await company.post(f"dunning-notices/{notice['id']}/drop", {"reason": "we spoke"}))[
            "state"
        ] == "dropped"

    async def test_that_arrives_is_followed_by_nothing(
        self, company: Company, mailing: Mailbox, clock: FrozenClock
    ) -> None:
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        for _ in range(3):
            clock.move(by=timedelta(minutes=11))
            await company.works()
        assert [document["channel"] for document in (await company.notice())["documents"]] == ["email"]

    async def test_has_one_message_id_however_often_it_is_sent(self, company: Company, mailing: Mailbox) -> None:
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        notice = await company.notice()
        assert mailing.taken[0]["Message-ID"] == f"<{notice['id']}@seller.example>"


class TestLetter:
    async def test_goes_out_where_there_is_no_e_mail_address(self, company: Company, mailing: Mailbox) -> None:
        await company.owes()
        await company.reminds()
        assert ((await company.notice())["sent_by"], mailing.taken) == ("letter", [])

    async def test_waits_in_the_print_queue_until_it_is_printed(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        [waiting] = (await company.get("dunning-notices", to_print=True))["items"]
        await company.post(f"dunning-notices/{waiting['id']}/printed")
        assert (await company.get("dunning-notices", to_print=True))["items"] == []
        again = await company.post(f"dunning-notices/{waiting['id']}/printed", status=409)
        assert again["code"] == "dunning_notice_printed"

    async def test_is_answered_as_it_was_sent_byte_for_byte(self, company: Company) -> None:
        await company.customer(language="zh")
        await company.owes("INV-88")
        await company.reminds()
        notice = await company.notice()
        path = f"/v1/dunning-notices/{notice['id']}/document"
        answer = await company.api.get(path, headers={"Accept": "application/pdf"})
        assert answer.headers["content-type"] == "application/pdf"
        assert hashlib.sha256(answer.content).hexdigest() == notice["documents"][0]["digest"]
        words = unicodedata.normalize("NFKC", PdfReader(io.BytesIO(answer.content)).pages[0].extract_text())
        assert all(said in words for said in ("付款提醒函", "INV-88", notice["reference"]))

    async def test_says_the_same_as_html_after_the_books_have_moved_on(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        path = f"/v1/dunning-notices/{(await company.notice())['id']}/document"
        before = (await company.api.get(path, headers={"Accept": "text/html"})).text
        await company.customer(name="Renamed")
        await company.pays("100.00")
        after = await company.api.get(path)
        assert after.text == before
        assert after.headers["content-type"].startswith("text/html")

    async def test_can_be_looked_at_before_it_is_sent(self, company: Company) -> None:
        await company.owes()
        notice = (await company.proposes())["notices"][0]
        answer = await company.api.get(f"/v1/dunning-notices/{notice['id']}/document")
        assert "Payment reminder" in answer.text


class TestWebhook:
    async def test_posts_the_content_signed(self, company: Company) -> None:
        taken: list[tuple[dict[str, str], bytes]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            taken.append((headers, await reader.readexactly(int(headers["content-length"]))))
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notices"
        company.outbox.carriers[DunningChannel.WEBHOOK] = Webhook(url, "secret")
        await company.rules([{**LEVELS[0], "channel": "webhook", "fallbacks": ["letter"]}])
        await company.owes("INV-5")
        await company.reminds()
        server.close()
        [(headers, body)] = taken
        assert b"INV-5" in body
        assert headers["webhook-signature"].startswith("v1,")
        assert (await company.notice())["sent_by"] == "webhook"

    async def test_that_is_not_set_up_falls_to_the_next_channel(self, company: Company) -> None:
        await company.rules([{**LEVELS[0], "channel": "webhook", "fallbacks": ["call", "letter"]}])
        await company.owes()
        await company.reminds()
        assert (await company.notice())["sent_by"] == "call"
        assert [t["kind"] for t in (await company.get("collection-tasks"))["items"]] == ["call"]


class TestSilence:
    async def test_does_not_follow_when_a_letter_comes_back_too(self, company: Company) -> None:
        await company.owes()
        await company.reminds()
        notice = await company.notice()
        assert (notice["sent_by"], notice["channels"]) == ("letter", [])
        await company.post(f"dunning-notices/{notice['id']}/bounced", {"reason": "moved, address unknown"})
        await company.works()
        assert [t["kind"] for t in (await company.get("collection-tasks"))["items"]] == ["delivery_failed"]
        assert ((await company.notice())["state"], await company.level()) == ("sent", 1)

    async def test_never_follows_from_failure(self, company: Company) -> None:
        await company.rules([{**LEVELS[0], "channel": "webhook", "fallbacks": []}])
        await company.owes()
        await company.reminds()
        assert (await company.notice())["state"] == "failed"
        assert [t["kind"] for t in (await company.get("collection-tasks"))["items"]] == ["delivery_failed"]
        assert await company.level() == 0

    async def test_does_not_follow_from_a_template_that_can_t_be_written(self, company: Company, tmp_path: Any) -> None:
        (tmp_path / "mail.html.j2").write_text("{{ nothing.at.all }}")
        company.outbox = Outbox.of(Stationery(tmp_path), smtp=SmtpServer("127.0.0.1", 1, "a@b.example"))
        await company.customer(contacts=MAIL)
        await company.owes()
        await company.reminds()
        assert (await company.notice())["sent_by"] == "letter"


class TestTemplates:
    @pytest.mark.parametrize(
        ("language", "locale", "date"),
        [
            ("en", "de-DE", "9 March 2026"),
            ("en", "ja-JP", "March 9, 2026"),
            ("en", "de", "March 9, 2026"),
            ("en", "en-GB", "9 March 2026"),
            ("zh", "zh-CN", "2026年3月9日"),
            ("zh", "zh-Hans-CN", "2026年3月9日"),
        ],
    )
    async def test_names_months_in_the_language_of_the_letter(
        self, company: Company, language: str, locale: str, date: str
    ) -> None:
        await company.owes()
        await company.reminds()
        content = {**await _content(company), "language": language, "locale": locale, "date": "2026-03-09"}
        assert Stationery().page(content)["date"] == date

    async def test_of_one_s_own_come_first_file_by_file(self, company: Company, tmp_path: Any) -> None:
        (tmp_path / "en").mkdir()
        (tmp_path / "en" / "reminder.j2").write_text(
            "{% set subject %}Oi{% endset %}{% set greeting %}Hi{% endset %}"
            "{% set opening %}Pay {{ totals[0].net_due }}{% endset %}{% set closing %}Bye{% endset %}"
        )
        (tmp_path / "de").mkdir()
        (tmp_path / "de" / "labels.json").write_text('{"net_due": "Bitte zahlen Sie"}')
        stationery = Stationery(tmp_path)
        assert stationery.languages == {"en", "zh", "de"}
        company.outbox = Outbox.of(stationery)
        await company.owes()
        await company.reminds()
        assert stationery.write(await _content(company)).subject == "Oi"
        written = stationery.write({**await _content(company), "language": "de"})
        assert "Bitte zahlen Sie" in written.text
        assert written.subject == "Oi"


async def _content(company: Company) -> Any:
    async with company.transactions.begin(actor=ANN, request_id="test") as tx:
        found = await dunning.pending.list_notices(tx, segment="main", page=PageRequest())
        assert found.rows[0].content is not None
        return dict(found.rows[0].content)
