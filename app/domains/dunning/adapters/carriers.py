"""The channels: mail over SMTP, letters for the print queue, a webhook, and what a caller has before them.

A mail has the same Message-ID however often it is tried: what a server took before a crash, and takes again after it,
is one message to those who read it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final, Protocol

import aiosmtplib
import httpx
import orjson

from app.domains.dunning.adapters.stationery import Stationery
from app.domains.dunning.core.parcels import Carried, Parcel, Undeliverable
from app.domains.policies.core.dunning import DunningChannel
from app.infra.typesetting import TemplateFailed, TypesetterBusy

TIMEOUT_SECONDS: Final = 20.0


class Carrier(Protocol):
    """One channel."""

    async def carry(self, parcel: Parcel) -> Carried:
        """Sends the parcel. Raises `Undeliverable`."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in; `security` is `none`, `starttls` or `tls`."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    security: str = "starttls"


class Mail:
    """Mail with an HTML part and a text part."""

    def __init__(self, server: SmtpServer | None, stationery: Stationery) -> None:
        self._server = server
        self._stationery = stationery

    async def carry(self, parcel: Parcel) -> Carried:
        """Hands the mail to the server; what it refuses for good is not tried again."""
        if self._server is None:
            raise Undeliverable("no mail server is set", lasting=True)
        if parcel.recipient.email is None:
            raise Undeliverable("the customer has no e-mail address", lasting=True)
        message = self._message(parcel, self._server, parcel.recipient.email)
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            raise Undeliverable(f"refused: {codes}", lasting=all(code >= 500 for code in codes)) from error
        except aiosmtplib.SMTPResponseException as error:
            # Its words may name the mailbox, and reasons are journalled.
            raise Undeliverable(f"answered {error.code}", lasting=error.code >= 500) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Undeliverable(f"{type(error).__name__}"[:200], lasting=isinstance(error, ValueError)) from error
        return Carried("message/rfc822", message.as_bytes())

    def _message(self, parcel: Parcel, server: SmtpServer, recipient: str) -> EmailMessage:
        try:
            written = self._stationery.write(parcel.content)
            message = EmailMessage(policy=SMTP)
            message["Subject"] = f"{written.subject} {parcel.reference}"
            message["From"] = _address(parcel.content["sender"]["name"], server.sender)
            message["To"] = recipient
        except Exception as error:
            raise Undeliverable(f"the mail can't be written: {type(error).__name__}", lasting=True) from error
        message["Date"] = format_datetime(parcel.at)
        message["Message-ID"] = f"<{parcel.notice_id}@{_domain(server.sender)}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(written.text)
        message.add_alternative(written.html, subtype="html")
        # Drawn at random otherwise: the same notice is the same bytes.
        message.set_boundary(f"part-{parcel.notice_id}")
        return message


class Letters:
    """PDF letters. They are kept, and wait in the print queue."""

    def __init__(self, stationery: Stationery) -> None:
        self._stationery = stationery

    async def carry(self, parcel: Parcel) -> Carried:
        """Typesets the letter."""
        try:
            body = await self._stationery.letter(parcel.content, at=parcel.at)
        except TypesetterBusy as error:
            raise Undeliverable(error.detail, lasting=False) from error
        except TemplateFailed as error:
            raise Undeliverable(str(error)[:200], lasting=True) from error
        return Carried("application/pdf", body)


class Webhook:
    """A POST to a URL, signed as Standard Webhooks has it: somebody else writes to the customer."""

    def __init__(self, url: str | None, secret: str | None) -> None:
        self._url = url
        self._secret = secret or ""

    async def carry(self, parcel: Parcel) -> Carried:
        """Posts the content; any answer but 2xx is a failure."""
        if self._url is None:
            raise Undeliverable("no webhook is set", lasting=True)
        body = orjson.dumps({"notice_id": str(parcel.notice_id), **parcel.content}, default=str)
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                answer = await client.post(self._url, content=body, headers=self._headers(parcel, body))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Undeliverable(type(error).__name__, lasting=False) from error
        if not answer.is_success:
            raise Undeliverable(f"answered {answer.status_code}", lasting=answer.status_code < 500)
        return Carried("application/json", body)

    def _headers(self, parcel: Parcel, body: bytes) -> dict[str, str]:
        moment = str(int(parcel.at.timestamp()))
        signed = f"{parcel.notice_id}.{moment}.".encode() + body
        signature = base64.b64encode(hmac.new(self._secret.encode(), signed, hashlib.sha256).digest()).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": str(parcel.notice_id),
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{signature}",
        }


class Calls:
    """A call: what the caller has before them. The task is put on the work list with the notice."""

    def __init__(self, stationery: Stationery) -> None:
        self._stationery = stationery

    async def carry(self, parcel: Parcel) -> Carried:
        """Writes down what the call is about."""
        text = self._stationery.write(parcel.content).text
        return Carried("text/plain; charset=utf-8", text.encode())


@dataclass(frozen=True, slots=True)
class Outbox:
    """All channels, and the templates that they write by."""

    stationery: Stationery
    carriers: dict[DunningChannel, Carrier]

    @classmethod
    def of(
        cls,
        stationery: Stationery,
        *,
        smtp: SmtpServer | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
    ) -> Outbox:
        """The channels that are set up; the others say that they are not."""
        return cls(
            stationery,
            {
                DunningChannel.EMAIL: Mail(smtp, stationery),
                DunningChannel.LETTER: Letters(stationery),
                DunningChannel.WEBHOOK: Webhook(webhook_url, webhook_secret),
                DunningChannel.CALL: Calls(stationery),
            },
        )

    async def carry(self, parcel: Parcel) -> Carried:
        """Sends the parcel by its channel. Raises `Undeliverable`."""
        return await self.carriers[parcel.channel].carry(parcel)


def _address(name: str, sender: str) -> Address:
    return Address(display_name=name, addr_spec=parseaddr(sender)[1])


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"
