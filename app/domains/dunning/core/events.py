"""What happens in dunning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunEvent(Event):
    subject_type: ClassVar[str] = "dunning_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRunProposed(_RunEvent):
    """A run has begun to look at the customers of a segment."""

    type: ClassVar[str] = "dunning_run_proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRunReleased(_RunEvent):
    """The notices of a run may be sent."""

    type: ClassVar[str] = "dunning_run_released"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRunDone(_RunEvent):
    """No notice of the run waits any more."""

    type: ClassVar[str] = "dunning_run_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRunWithdrawn(_RunEvent):
    """A proposal was given up; its notices with it."""

    type: ClassVar[str] = "dunning_run_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoticeEvent(Event):
    subject_type: ClassVar[str] = "dunning_notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeProposed(_NoticeEvent):
    """A customer is to be reminded."""

    type: ClassVar[str] = "dunning_notice_proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeChanged(_NoticeEvent):
    """A person changed how a notice goes out, or what it asks for has changed before it went out."""

    type: ClassVar[str] = "dunning_notice_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeReleased(_NoticeEvent):
    """A notice waits to be sent."""

    type: ClassVar[str] = "dunning_notice_released"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeDropped(_NoticeEvent):
    """A notice will not be sent: a person or a payment was faster."""

    type: ClassVar[str] = "dunning_notice_dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeSent(_NoticeEvent):
    """A notice has gone out; `after` has the digest of what was sent: a reminder in writing interrupts limitation."""

    type: ClassVar[str] = "dunning_notice_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningDeliveryFailed(_NoticeEvent):
    """A channel could not be used, or what it carried came back; the next one is tried."""

    type: ClassVar[str] = "dunning_delivery_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeFailed(_NoticeEvent):
    """No channel is left; a collection task says so."""

    type: ClassVar[str] = "dunning_notice_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticePrinted(_NoticeEvent):
    """A letter has left the print queue."""

    type: ClassVar[str] = "dunning_notice_printed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeSettled(_NoticeEvent):
    """All that a notice was about is paid, credited or cancelled."""

    type: ClassVar[str] = "dunning_notice_settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningNoticeRevived(_NoticeEvent):
    """Something that a notice was about is open again."""

    type: ClassVar[str] = "dunning_notice_revived"


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClaimEvent(Event):
    subject_type: ClassVar[str] = "dunning_claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningClaimRaised(_ClaimEvent):
    """A fee, a fixed sum or interest is claimed."""

    type: ClassVar[str] = "dunning_claim_raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningClaimBooked(_ClaimEvent):
    """A claim became a debit note in the account."""

    type: ClassVar[str] = "dunning_claim_booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningClaimWaived(_ClaimEvent):
    """A claim was given up by somebody who may."""

    type: ClassVar[str] = "dunning_claim_waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningStopped(Event):
    """A customer, or an invoice, is not reminded for a while."""

    type: ClassVar[str] = "dunning_stopped"
    subject_type: ClassVar[str] = "dunning_stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningStopLifted(Event):
    """A stop ends before its day."""

    type: ClassVar[str] = "dunning_stop_lifted"
    subject_type: ClassVar[str] = "dunning_stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PromiseEvent(Event):
    subject_type: ClassVar[str] = "promise"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseMade(_PromiseEvent):
    """A customer has promised to pay."""

    type: ClassVar[str] = "promise_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisePaid(_PromiseEvent):
    """A part of what was promised has come, or was taken back."""

    type: ClassVar[str] = "promise_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKept(_PromiseEvent):
    """All that was promised has come."""

    type: ClassVar[str] = "promise_kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisePartlyKept(_PromiseEvent):
    """The day has passed, and only a part has come."""

    type: ClassVar[str] = "promise_partly_kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseBroken(_PromiseEvent):
    """The day has passed, and nothing has come: it counts against the customer's payment behaviour."""

    type: ClassVar[str] = "promise_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseReopened(_PromiseEvent):
    """The payment that kept a promise bounced."""

    type: ClassVar[str] = "promise_reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseWithdrawn(_PromiseEvent):
    """A promise was entered by mistake, or was replaced."""

    type: ClassVar[str] = "promise_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionTaskOpened(Event):
    """Somebody is to be called."""

    type: ClassVar[str] = "collection_task_opened"
    subject_type: ClassVar[str] = "collection_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionTaskCompleted(Event):
    """Somebody was called, or the reason to call is gone."""

    type: ClassVar[str] = "collection_task_completed"
    subject_type: ClassVar[str] = "collection_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatutoryRateEntered(Event):
    """A reference rate was added, or one that was wrong replaced."""

    type: ClassVar[str] = "statutory_rate_entered"
    subject_type: ClassVar[str] = "statutory_rate"
