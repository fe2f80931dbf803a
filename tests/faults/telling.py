"""What the journal must have told of the state that is there: one event for each change, no more and no fewer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

Fetch = Callable[[str], Awaitable[list[Any]]]
"""Rows of a statement, as tuples."""

DECISIONS: Final = {
    "credit_check_released": "select id::text, 1 from credit_checks where review = 'released'",
    "credit_check_rejected": "select id::text, 1 from credit_checks where review = 'rejected'",
    "limit_requested": "select distinct request_id::text, 1 from limit_request_steps",
    "limit_request_approved": "select id::text, 1 from limit_requests where status in ('approved', 'partly_approved')",
    "limit_request_declined": "select id::text, 1 from limit_requests where status = 'declined'",
    "limit_request_cancelled": "select id::text, 1 from limit_requests where status = 'cancelled'",
    "limit_request_step_approved": """
        select s.request_id::text, count(*) - max((r.status in ('approved', 'partly_approved'))::int)
        from limit_request_steps s join limit_requests r on r.id = s.request_id
        where s.state = 'approved' group by s.request_id
        having count(*) > max((r.status in ('approved', 'partly_approved'))::int)""",
    "limit_set": """
        select account_id::text, count(*) from limit_requests
        where status in ('approved', 'partly_approved') group by account_id""",
}
DUNNING: Final = {
    "dunning_run_proposed": "select id::text, 1 from dunning_runs",
    "dunning_run_released": "select id::text, 1 from dunning_runs where released_at is not null",
    "dunning_run_done": "select id::text, 1 from dunning_runs where state = 'done'",
    "dunning_notice_proposed": "select id::text, 1 from dunning_notices",
    "dunning_notice_released": "select id::text, 1 from dunning_notices where state <> 'proposed'",
    "dunning_notice_sent": "select notice_id::text, count(*) from dunning_documents group by notice_id",
    "dunning_claim_raised": "select id::text, 1 from dunning_claims",
    "collection_task_opened": "select id::text, 1 from collection_tasks",
    "promise_made": "select id::text, 1 from promises",
}
"""By type of event: of what it must tell, and how often. For tests in which nothing else has made such events."""


async def told_otherwise(fetch: Fetch, expected: Mapping[str, str]) -> list[str]:
    """Every change that is told not at all or more often than it was made, and what is told of that is not there."""
    findings = []
    for kind, state in expected.items():
        rows = await fetch(
            f"""
            select coalesce(made.subject, told.subject_id), coalesce(made.times, 0), coalesce(told.times, 0)
            from ({state}) made(subject, times)
            full join (select subject_id, count(*) as times from events where type = '{kind}' group by subject_id) told
                 on told.subject_id = made.subject
            where made.times is distinct from told.times"""
        )
        findings += [f"{subject}: {made} changes, {told} times {kind}" for subject, made, told in rows]
    return findings
