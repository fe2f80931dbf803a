"""Between rows and the core: how a record of the database becomes facts, and facts become the values to write.

Shared by the repository and by the desk's two statements, so that both read and write an account alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from app.domains.exposure.core.account import Account, Group, Overdue, Profile
from app.domains.exposure.core.commitments import Commitment, OrderState, Release
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.ledger import Exposure, Line
from app.domains.exposure.core.limits import Limit, LimitKind
from app.domains.exposure.core.positions import Positions

Record = Mapping[Any, Any]
"""A row by the names of its columns, as any driver gives it."""
Values = dict[str, Any]

_HOLDS: Final = {kind.value: kind for kind in HoldKind}
_KINDS: Final = {kind.value: kind for kind in LimitKind}
_STATES: Final = {state.value: state for state in OrderState}


def account_from(record: Record) -> Account:
    """The account in a row of `accounts`."""
    return Account(
        id=record["id"],
        customer_id=record["customer_id"],
        segment=record["segment"],
        version=record["version"],
        exposure=Exposure(
            record["currency"],
            record["receivables"],
            record["open_orders"],
            record["delivered"],
            record["unallocated_credits"],
        ),
        fresh_until=record["fresh_until"],
        basis=record["basis"],
        group_id=record["group_id"],
        base_limit=_limit(record, "base"),
        temporary_limit=_limit(record, "temporary"),
        hold=_HOLDS[record["hold"]],
        held_orders=record["held_orders"],
        beyond_horizon=record["beyond_horizon"],
        overdue=Overdue(
            record["overdue_amount"],
            record["oldest_due_on"],
            record["breaching_due_on"],
            record["overdue_breaching"],
            record["overdue_aged"],
        ),
        profile=Profile(
            record["dunning_level"],
            record["payment_index"],
            record["grade"],
            record["assessed_on"],
            record["cover_amount"],
            record["cover_until"],
        ),
    )


def group_from(record: Record) -> Group:
    """The group in a row of `groups`."""
    return Group(
        id=record["id"],
        customer_id=record["customer_id"],
        segment=record["segment"],
        currency=record["currency"],
        version=record["version"],
        fresh_until=record["fresh_until"],
        base_limit=_limit(record, "base"),
        temporary_limit=_limit(record, "temporary"),
        totals={currency: Decimal(amount) for currency, amount in record["totals"].items()},
    )


def commitment_from(record: Record) -> Commitment:
    """The commitment in a row of `commitments`."""
    return Commitment(
        segment=record["segment"],
        order_ref=record["order_ref"],
        account_id=record["account_id"],
        customer_id=record["customer_id"],
        currency=record["currency"],
        account_currency=record["account_currency"],
        rate=record["rate"],
        state=_STATES[record["state"]],
        approved=record["approved"],
        shipped=record["shipped"],
        invoiced=record["invoiced"],
        waived=record["waived"],
        held=record["held"],
        ship_on=record["ship_on"],
        expires_at=record["expires_at"],
        review_id=record["review_id"],
        release=_release(record["release"]),
    )


def account_values(account: Account, now: datetime) -> Values:
    """What posting changes of an account."""
    exposure = account.exposure
    return {
        "id": account.id,
        "version": account.version,
        "receivables": exposure.receivables,
        "open_orders": exposure.open_orders,
        "delivered": exposure.delivered,
        "unallocated_credits": exposure.unallocated_credits,
        "held_orders": account.held_orders,
        "beyond_horizon": account.beyond_horizon,
        "fresh_until": account.fresh_until,
        "basis": account.basis,
        "overdue_amount": account.overdue.amount,
        "oldest_due_on": account.overdue.oldest_due_on,
        "breaching_due_on": account.overdue.breaching_due_on,
        "overdue_breaching": account.overdue.breaching,
        "overdue_aged": account.overdue.aged,
        "changed_at": now,
    }


def decision_values(account: Account) -> Values:
    """What people and higher slices decide about an account."""
    profile = account.profile
    return {
        "id": account.id,
        **_limit_values("base", account.base_limit),
        **_limit_values("temporary", account.temporary_limit),
        "hold": account.hold.value,
        "group_id": account.group_id,
        "dunning_level": profile.dunning_level,
        "payment_index": profile.payment_index,
        "grade": profile.grade,
        "assessed_on": profile.assessed_on,
        "cover_amount": profile.cover_amount,
        "cover_until": profile.cover_until,
    }


def group_decision_values(group: Group) -> Values:
    """What people decide about a group."""
    return {
        "id": group.id,
        **_limit_values("base", group.base_limit),
        **_limit_values("temporary", group.temporary_limit),
        "fresh_until": group.fresh_until,
    }


def group_values(group: Group) -> Values:
    """What posting changes of a group."""
    return {"id": group.id, "version": group.version, "totals": {c: str(a) for c, a in group.totals.items()}}


def line_values(positions: Positions, now: datetime) -> list[Values]:
    """The ledger rows of everything posted."""
    return [_line(account_id, line, now) for account_id, lines in positions.lines.items() for line in lines]


def commitment_values(order: Commitment, now: datetime) -> Values:
    """A whole row of `commitments`; `created_at` counts only when it is new."""
    release = order.release
    return {
        "segment": order.segment,
        "order_ref": order.order_ref,
        "account_id": order.account_id,
        "customer_id": order.customer_id,
        "currency": order.currency,
        "account_currency": order.account_currency,
        "rate": order.rate,
        "state": order.state.value,
        "approved": order.approved,
        "shipped": order.shipped,
        "invoiced": order.invoiced,
        "waived": order.waived,
        "held": order.held,
        "open_amount": order.open_amount,
        "delivered_amount": order.delivered_amount,
        "held_amount": order.held_amount,
        "ship_on": order.ship_on,
        "expires_at": order.expires_at,
        "review_id": order.review_id,
        "release": release
        and {
            "amount": str(release.amount),
            "codes": list(release.codes),
            "credit_days": release.credit_days,
            "discount_percent": str(release.discount_percent),
            "until": release.until.isoformat(),
        },
        "created_at": now,
        "changed_at": now,
    }


def _limit(record: Record, which: str) -> Limit | None:
    if record[f"{which}_kind"] is None:
        return None
    return Limit(
        _KINDS[record[f"{which}_kind"]],
        record[f"{which}_amount"],
        record[f"{which}_from"],
        record[f"{which}_until"],
    )


def _limit_values(which: str, limit: Limit | None) -> Values:
    return {
        f"{which}_kind": limit.kind.value if limit else None,
        f"{which}_amount": limit.amount if limit else None,
        f"{which}_from": limit.valid_from if limit else None,
        f"{which}_until": limit.valid_until if limit else None,
    }


def _release(document: Mapping[str, Any] | None) -> Release | None:
    if document is None:
        return None
    return Release(
        Decimal(document["amount"]),
        tuple(document["codes"]),
        document["credit_days"],
        Decimal(document["discount_percent"]),
        datetime.fromisoformat(document["until"]),
    )


def _line(account_id: Any, line: Line, now: datetime) -> Values:
    entry = line.entry
    return {
        "account_id": account_id,
        "seq": line.seq,
        "at": now,
        "component": entry.component.value,
        "amount": entry.amount,
        "balance": line.balance,
        "due_on": entry.due_on,
        "source_type": entry.source.type,
        "source_ref": entry.source.ref,
    }
