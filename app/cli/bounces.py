"""`headroom bounces`: tells dunning which mails came back, from what mail servers say about them."""

from __future__ import annotations

import asyncio
import getpass
import mailbox
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.cli.environment import EXIT_USAGE, database, load_settings, transactions_of
from app.domains.dunning import service as dunning
from app.domains.dunning.adapters.bounces import Returned, returned
from app.domains.dunning.core.refusals import DunningNoticeNotFound, NoticeNotSent
from app.domains.policies.core.dunning import DunningChannel
from app.infra.db.embedded import EmbeddedServerError
from app.infra.transaction import Transactions
from app.kernel.identity import Actor, ActorKind
from app.settings import Settings

COMMANDS = typer.Typer()

MESSAGE_BYTES_MAX: Final = 1_000_000
"""What is read of a message: the report stands before the mail that is returned."""
MESSAGES_MAX: Final = 10_000
BOUNCED, KNOWN, OTHERS = "bounced", "known", "others"


@COMMANDS.command()
def bounces(
    maildir: Annotated[
        Path | None, typer.Argument(help="A Maildir; without it one message is read from standard input.")
    ] = None,
) -> None:
    """Read delivery status notifications (RFC 3464) about reminders, each of which then goes by its next channel.

    In a Maildir only messages that nobody has seen are read; those that were about a reminder are marked as seen.
    """
    try:
        with database(load_settings()) as ready:
            tally = asyncio.run(_run(ready, maildir))
    except (SQLAlchemyError, OSError, mailbox.Error, EmbeddedServerError) as error:
        typer.echo(f"can't read bounces: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    typer.echo(
        f"messages: {tally.total():,}; bounced: {tally[BOUNCED]:,}, known before: {tally[KNOWN]:,}, "
        f"not about a reminder that failed: {tally[OTHERS]:,}"
    )


async def _run(settings: Settings, maildir: Path | None) -> Counter[str]:
    tally: Counter[str] = Counter()
    async with transactions_of(settings) as transactions:
        if maildir is None:
            tally[await _note(transactions, returned(sys.stdin.buffer.read(MESSAGE_BYTES_MAX)))] += 1
            return tally
        box = mailbox.Maildir(maildir, create=False)
        for key in _unseen(box):
            outcome = await _note(transactions, returned(_content(box, key)))
            tally[outcome] += 1
            if outcome != OTHERS:
                _mark_seen(box, key)
    return tally


async def _note(transactions: Transactions, found: Returned | None) -> str:
    """Writes down what came back, in a transaction of its own: what became of it."""
    if found is None:
        return OTHERS
    try:
        async with transactions.begin(actor=Actor(getpass.getuser(), ActorKind.SERVICE), request_id="bounces") as tx:
            await dunning.delivering.bounced(
                tx, notice_id=found.notice_id, reason=found.reason, by=DunningChannel.EMAIL
            )
    except DunningNoticeNotFound:
        return OTHERS
    except NoticeNotSent:
        return KNOWN
    return BOUNCED


def _unseen(box: mailbox.Maildir) -> Iterator[str]:
    found = (key for key in sorted(box.keys()) if "S" not in box.get_message(key).get_flags())
    for _, key in zip(range(MESSAGES_MAX), found, strict=False):
        yield key


def _content(box: mailbox.Maildir, key: str) -> bytes:
    with box.get_file(key) as file:
        content: bytes = file.read(MESSAGE_BYTES_MAX)
        return content


def _mark_seen(box: mailbox.Maildir, key: str) -> None:
    message = box.get_message(key)
    message.set_subdir("cur")
    message.add_flag("S")
    box[key] = message
