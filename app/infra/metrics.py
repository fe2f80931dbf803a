"""What Prometheus sees. Every label is bounded: routes are templates, codes come from the code, never from callers."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds. 0.05 is the boundary of the service level: 99 % of the checks are decided within 50 ms."""

REQUESTS = Counter("headroom_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("headroom_request_seconds", "Time to answer a request", ["method", "route"], buckets=_FAST)

DECISIONS = Counter("headroom_decisions_total", "Credit checks decided", ["outcome"])
DECISION_REASONS = Counter("headroom_decision_reasons_total", "Reasons given by credit checks", ["reason", "effect"])
DECISION_SECONDS = Histogram("headroom_decision_seconds", "Time from arrival at the desk to commit", buckets=_FAST)
DESK_BATCH_SIZE = Histogram(
    "headroom_desk_batch_size", "Checks decided together", buckets=(1, 2, 4, 8, 16, 32, 64, 128)
)
DESK_WAITING_SECONDS = Histogram("headroom_desk_waiting_seconds", "Time a check queued at the desk", buckets=_FAST)

EXPIRED_RESERVATIONS = Counter("headroom_expired_reservations_total", "Reservations freed because they expired")
DRIFT = Gauge("headroom_drift_accounts", "Accounts whose totals differ", ["kind"], multiprocess_mode="livemostrecent")
IDEMPOTENCY = Counter("headroom_idempotency_total", "POSTs with an Idempotency-Key", ["outcome"])
POOL_WAIT_SECONDS = Histogram("headroom_pool_wait_seconds", "Time a request waited for a connection", buckets=_FAST)

JOB_LAG_SECONDS = Gauge(
    "headroom_job_lag_seconds", "How late the last run of a job began", ["job"], multiprocess_mode="livemostrecent"
)
JOB_RUNS = Counter("headroom_job_runs_total", "Runs of periodic jobs", ["job", "outcome"])
SEAL_LAG_SECONDS = Gauge(
    "headroom_seal_lag_seconds", "Age of the oldest event not yet sealed", multiprocess_mode="livemostrecent"
)
BUILD_INFO = Gauge("headroom_build_info", "Which build runs", ["version", "python"], multiprocess_mode="livemax")
