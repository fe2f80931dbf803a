"""What Prometheus sees. Every label is bounded: routes are templates, codes come from the code, never from callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds. 0.05 is the boundary of the service level: 99 % of the checks are decided within 50 ms."""

REQUESTS = Counter("headroom_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("headroom_request_seconds", "Time to answer a request", ["method", "route"], buckets=_FAST)

DECISIONS = Counter("headroom_decisions_total", "Credit checks decided", ["outcome"])
DECISION_REASONS = Counter("headroom_decision_reasons_total", "Reasons given by credit checks", ["reason", "effect"])
for _outcome in ("approved", "referred", "declined"):
    DECISIONS.labels(_outcome)
for _effect in ("refer", "decline"):
    DECISION_REASONS.labels("rule_failed", _effect)  # from zero on, so that the first failure is a rise
DECISION_SECONDS = Histogram("headroom_decision_seconds", "Time from arrival at the desk to commit", buckets=_FAST)
DESK_BATCH_SIZE = Histogram(
    "headroom_desk_batch_size", "Checks decided together", buckets=(1, 2, 4, 8, 16, 32, 64, 128)
)
DESK_WAITING_SECONDS = Histogram("headroom_desk_waiting_seconds", "Time a check queued at the desk", buckets=_FAST)

EXPIRED_RESERVATIONS = Counter("headroom_expired_reservations_total", "Reservations freed because they expired")
DRIFT = Gauge("headroom_drift_accounts", "Accounts whose totals differ", ["kind"], multiprocess_mode="livemostrecent")
IDEMPOTENCY = Counter("headroom_idempotency_total", "POSTs with an Idempotency-Key", ["outcome"])
POOL_WAIT_SECONDS = Histogram("headroom_pool_wait_seconds", "Time a request waited for a connection", buckets=_FAST)

LEADER = Gauge("headroom_leader", "1 where the periodic jobs run, else 0", multiprocess_mode="livemax")
"""Gauges that jobs set count only where this is 1: who has led before keeps showing what it last knew."""
JOB_LAG_SECONDS = Gauge(
    "headroom_job_lag_seconds", "How late the last run of a job began", ["name"], multiprocess_mode="livemostrecent"
)
JOB_DONE_TIMESTAMP = Gauge(
    "headroom_job_done_timestamp_seconds",
    "When a job last ended well, in seconds since 1970",
    ["name"],
    multiprocess_mode="livemostrecent",
)
JOB_RUNS = Counter("headroom_job_runs_total", "Runs of periodic jobs", ["name", "outcome"])
SEAL_LAG_SECONDS = Gauge(
    "headroom_seal_lag_seconds", "Age of the oldest event not yet sealed", multiprocess_mode="livemostrecent"
)
JOURNAL_BLOCK = Gauge(
    "headroom_journal_block", "The last block whose digest was published", multiprocess_mode="livemostrecent"
)
JOURNAL_DIGEST = Gauge(
    "headroom_journal_digest", "The first 48 bits of its digest, as a number", multiprocess_mode="livemostrecent"
)
JOURNAL_VERIFIED_BLOCK = Gauge(
    "headroom_journal_verified_block", "The last block that was verified", multiprocess_mode="livemostrecent"
)
JOURNAL_FINDINGS = Gauge(
    "headroom_journal_findings",
    "What is not as it was sealed or published, by the last round of verification",
    ["kind"],
    multiprocess_mode="livemostrecent",
)
READY = Gauge("headroom_ready", "1 if the process can serve, else 0", multiprocess_mode="livemin")
BUILD_INFO = Gauge("headroom_build_info", "Which build runs", ["version", "python"], multiprocess_mode="livemax")

_PORTFOLIO: Final = ("segment", "grade", "currency")
"""Few: segments, currencies and grades are the company's own. Never a customer."""


def _portfolio(name: str, meaning: str, labels: Sequence[str] = _PORTFOLIO) -> Gauge:
    return Gauge(f"headroom_{name}", meaning, labels, multiprocess_mode="livemostrecent")


PORTFOLIO_ACCOUNTS = _portfolio("portfolio_accounts", "Accounts")
PORTFOLIO_EXPOSURE = _portfolio("portfolio_exposure", "Exposure of the accounts, in their currency")
PORTFOLIO_OVERDUE = _portfolio("portfolio_overdue", "Overdue amounts of the accounts, in their currency")
PORTFOLIO_LIMIT = _portfolio("portfolio_limit", "Own limits in force of the accounts, unlimited ones left out")
PORTFOLIO_HEADROOM = _portfolio("portfolio_headroom", "Own limits in force less the exposure under them")
PORTFOLIO_EXCEEDED = _portfolio("portfolio_exceeded_accounts", "Accounts whose exposure is above their own limit")
REVIEWS_WAITING = _portfolio("reviews_waiting", "Referred orders that wait for somebody's decision", ["segment"])
REVIEWS_OLDEST_SECONDS = _portfolio("reviews_oldest_seconds", "How long the oldest of them has waited", ["segment"])
LIMIT_REQUESTS_WAITING = _portfolio("limit_requests_waiting", "Limit requests that people have to decide", ["segment"])
LIMIT_REQUESTS_OVERDUE = _portfolio(
    "limit_requests_overdue", "Those of them that everybody has let their time pass on", ["segment"]
)
SEGMENTS = _portfolio("segments", "Segments, by whether a policy is active in them", ["policy"])

DUNNING_DELIVERIES = Counter(
    "headroom_dunning_deliveries_total", "Tries to send a reminder", ["level", "channel", "outcome"]
)
"""Levels are 0 to 9, channels four."""
for _channel in ("email", "letter", "call", "webhook"):
    for _outcome in ("sent", "failed"):
        DUNNING_DELIVERIES.labels("1", _channel, _outcome)
DUNNING_WAITING = _portfolio("dunning_waiting", "Released reminders that are still to be sent", ["segment"])
DUNNING_OLDEST_SECONDS = _portfolio(
    "dunning_oldest_seconds", "How long the oldest of them has waited since its release", ["segment"]
)
DUNNING_UNDELIVERED = _portfolio(
    "dunning_undelivered", "Customers whom no channel reaches and whom nobody has seen to yet", ["segment"]
)
DUNNING_RUNS = _portfolio("dunning_runs", "Runs that are not at their end", ["segment", "state"])
PROMISES_ENDED = Counter("headroom_promises_ended_total", "Promises whose day has passed", ["outcome"])
for _outcome in ("partly_kept", "broken"):
    PROMISES_ENDED.labels(_outcome)
REFERENCE_RATES_MISSING = _portfolio(
    "reference_rates_missing", "1 where a policy asks for a rate that is not known today, else 0", ["reference"]
)


class Board:
    """Gauges that one job sets together. A series that a later set no longer has falls to zero.

    A gauge would go on showing the last value of a grade that no account has any more.
    """

    def __init__(self) -> None:
        self._shown: dict[Gauge, set[tuple[str, ...]]] = {}

    def show(self, gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
        """Sets the series of `gauge`, by the values of its labels."""
        shown = self._shown.setdefault(gauge, set())
        for labels in shown - values.keys():
            gauge.labels(*labels).set(0)
        for labels, value in values.items():
            gauge.labels(*labels).set(value)
        shown.update(values)
