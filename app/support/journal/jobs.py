"""The sealer, the publication of digests, the watch over the journal, and the retention of events."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import structlog

from app.infra import metrics
from app.infra.jobs import Job, Run
from app.support.journal import service as journal
from app.support.journal.adapters import DigestFile, Memory, Publication, published
from app.support.journal.core.encoding import DIGEST_BYTES
from app.support.journal.core.verification import Tampering

_SHOWN_BITS = 48
"""Of a digest, as a number that a metric can hold exactly."""

log = structlog.get_logger("headroom.journal")


async def seal_events(run: Run) -> None:
    """Seals batch after batch until nothing settled is left."""
    sealed = journal.SEAL_BATCH
    while sealed >= journal.SEAL_BATCH:
        async with run.begin() as tx:
            sealed = await journal.seal(tx)


JOBS = (Job("seal_events", timedelta(milliseconds=250), seal_events),)


def publication(file: Path | None) -> tuple[Job, ...]:
    """The jobs that publish the digest of the last block, as a log line, as metrics, and in `file` if there is one, and
    that hold the journal against itself and against what was published."""
    outside = DigestFile(file) if file else Memory()
    return _publishing(outside), _verifying(outside)


def _publishing(outside: Publication) -> Job:
    """One digest stands for all that is before it, so one a minute is enough: what was done to the journal later than
    that and covered up is found by the next."""
    last = 0

    async def publish_digest(run: Run) -> None:
        """Does nothing while no block has been closed since the last time."""
        nonlocal last
        async with run.begin() as tx:
            block = await journal.head(tx)
        if block is None or block.number == last:
            return
        await asyncio.to_thread(outside.publish, block)
        log.info("journal_digest", **published(block))
        metrics.JOURNAL_BLOCK.set(block.number)
        metrics.JOURNAL_DIGEST.set(int.from_bytes(block.digest) >> (8 * DIGEST_BYTES - _SHOWN_BITS))
        last = block.number

    return Job("publish_digest", timedelta(minutes=1), publish_digest)


def _verifying(outside: Publication) -> Job:
    """A process that becomes the leader begins a round of its own."""
    watch = journal.Watch()

    async def verify_journal(run: Run) -> None:
        """Says each finding once, and counts them for as long as they are found."""
        recalled = await asyncio.to_thread(outside.recall)
        for finding in await journal.look(run.begin, watch, published=recalled):
            log.error("journal_finding", **asdict(finding))
        kinds = Counter(finding.kind for finding in watch.findings)
        for kind in Tampering:
            metrics.JOURNAL_FINDINGS.labels(kind.value).set(kinds[kind])
        metrics.JOURNAL_VERIFIED_BLOCK.set(watch.new or 0)

    return Job("verify_journal", timedelta(minutes=1), verify_journal)


def retention(keep: timedelta) -> tuple[Job, ...]:
    """The job that deletes blocks of sealed events older than `keep`."""

    async def delete_old_events(run: Run) -> None:
        """Deletes batch after batch, so that no transaction is long."""
        deleted = 1
        while deleted:
            async with run.begin() as tx:
                deleted = await journal.delete_older(tx, keep=keep)

    return (Job("delete_old_events", timedelta(hours=1), delete_old_events),)
