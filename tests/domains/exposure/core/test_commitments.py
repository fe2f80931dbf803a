"""What an order binds, from its approval to the last invoice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import LEGAL, Commitment, OrderMove, OrderState
from app.domains.exposure.core.ledger import Component, Source
from app.kernel.money import ZERO, rounded
from tests.domains.exposure.core.examples import NOW, cents, order, positive_cents, rates

SOURCE = Source("test", "1")
REVIEW = UUID(int=5)
Change = Callable[[Commitment], Commitment]


def approved(amount: Decimal | int, before: Commitment | None = None) -> Commitment:
    return commitments.approve(
        before or order(), amount=Decimal(amount), ship_on=None, expires_at=NOW + timedelta(days=30)
    )


def shipped(before: Commitment, amount: Decimal | int) -> Commitment:
    return commitments.ship(before, amount=Decimal(amount))


def invoiced(before: Commitment, amount: Decimal | int) -> Commitment:
    return commitments.invoice(before, amount=Decimal(amount))


def changes() -> st.SearchStrategy[Change]:
    """Any single thing that can happen to an order."""
    return st.one_of(
        cents.map(lambda amount: lambda before: approved(amount, before)),
        positive_cents.map(lambda amount: lambda before: shipped(before, amount)),
        positive_cents.map(lambda amount: lambda before: invoiced(before, amount)),
        positive_cents.map(lambda amount: lambda before: commitments.reduce(before, amount=amount)),
        positive_cents.map(lambda amount: lambda before: commitments.hold(before, amount=amount, review_id=REVIEW)),
        st.booleans().map(
            lambda reorder: lambda before: commitments.take_back(before, amount=before.shipped / 2, reorder=reorder)
        ),
        st.just(lambda before: commitments.cancel_invoice(before, amount=before.invoiced)),
        st.just(commitments.cancel),
        st.just(commitments.decline),
        st.just(commitments.expire),
        st.just(commitments.lapse),
        st.just(commitments.close),
    )


class TestAmounts:
    @given(cents, cents, cents)
    def test_open_and_delivered_follow_the_formula(self, a: Decimal, s: Decimal, i: Decimal) -> None:
        made = replace(order(), approved=a, shipped=s, invoiced=i)
        assert made.open == max(a - max(s, i), ZERO)
        assert made.delivered == max(s - i, ZERO)

    @given(positive_cents, rates, st.lists(st.tuples(st.booleans(), positive_cents), max_size=6))
    def test_do_not_depend_on_the_sequence_of_shipping_and_invoicing(
        self, amount: Decimal, rate: Decimal, parts: list[tuple[bool, Decimal]]
    ) -> None:
        outcomes = set()
        for sequence in (parts, sorted(parts), sorted(parts, reverse=True)):
            made = approved(amount, order(currency="EUR", rate=rate))
            for is_shipment, part in sequence:
                made = shipped(made, part) if is_shipment else invoiced(made, part)
            outcomes.add((made.state, made.open, made.delivered, made.open_amount, made.delivered_amount))
        assert len(outcomes) == 1

    @given(positive_cents, rates, st.lists(st.integers(0, 100), max_size=6))
    def test_total_does_not_move_when_the_order_is_shipped(
        self, amount: Decimal, rate: Decimal, percents: list[int]
    ) -> None:
        made = approved(amount, order(currency="EUR", rate=rate))
        bound = made.open_amount + made.delivered_amount
        for percent in percents:
            made = shipped(made, rounded(made.open * percent / 100, "EUR"))
            assert made.open_amount + made.delivered_amount == bound
            assert made.open_amount >= 0

    @given(positive_cents, st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=6))
    def test_total_does_not_move_when_the_order_is_invoiced(
        self, amount: Decimal, steps: list[tuple[bool, int]]
    ) -> None:
        made, receivables = approved(amount), ZERO
        for is_shipment, percent in steps:
            left = made.approved - (made.shipped if is_shipment else made.invoiced)
            part = rounded(left * percent / 100, "CNY")
            if is_shipment:
                made = shipped(made, part)
            else:
                made, receivables = invoiced(made, part), receivables + part
            assert made.open_amount + made.delivered_amount + receivables == amount

    @given(rates, st.lists(changes(), max_size=12))
    def test_entries_add_up_to_what_is_bound_without_drift(self, rate: Decimal, happened: list[Change]) -> None:
        sums = dict.fromkeys(Component, ZERO)
        before: Commitment | None = None
        for change in happened:
            after = change(before or order(currency="EUR", rate=rate))
            for entry in commitments.entries(before, after, SOURCE):
                sums[entry.component] += entry.amount
            before = after
            assert sums[Component.OPEN_ORDERS] == after.open_amount
            assert sums[Component.DELIVERED] == after.delivered_amount
            assert after.open_amount + after.delivered_amount == rounded((after.open + after.delivered) * rate, "CNY")

    @given(rates, st.lists(changes(), max_size=12))
    def test_never_become_negative(self, rate: Decimal, happened: list[Change]) -> None:
        made = order(currency="EUR", rate=rate)
        for change in happened:
            made = change(made)
            assert min(made.open, made.delivered, made.open_amount, made.delivered_amount, made.held_amount) >= 0
            assert 0 <= made.waived <= max(made.shipped - made.invoiced, ZERO)

    @given(positive_cents, rates)
    def test_leave_nothing_when_all_is_invoiced(self, amount: Decimal, rate: Decimal) -> None:
        done = invoiced(shipped(approved(amount, order(currency="EUR", rate=rate)), amount), amount)
        assert (done.open_amount, done.delivered_amount, done.state) == (ZERO, ZERO, OrderState.INVOICED)
        assert not done.binds


class TestMoves:
    def test_reduce_frees_no_more_than_what_is_open(self) -> None:
        assert commitments.reduce(shipped(approved(100), 30), amount=Decimal(20)).approved == 80
        assert commitments.reduce(shipped(approved(100), 30), amount=Decimal(500)).approved == 30
        assert commitments.reduce(approved(100), amount=Decimal(100)).state is OrderState.CANCELLED

    def test_take_back_lets_the_approval_fall_unless_reordered(self) -> None:
        sent = shipped(approved(100), 60)
        gone = commitments.take_back(sent, amount=Decimal(60), reorder=False)
        again = commitments.take_back(sent, amount=Decimal(60), reorder=True)
        assert (gone.approved, gone.open) == (Decimal(40), Decimal(40))
        assert (again.approved, again.open) == (Decimal(100), Decimal(100))

    def test_cancelling_an_invoice_makes_it_delivered_again(self) -> None:
        billed = invoiced(shipped(approved(100), 100), 100)
        assert commitments.cancel_invoice(billed, amount=Decimal(100)).delivered == 100

    def test_cancelling_an_invoice_opens_the_reservation_again_while_it_runs(self) -> None:
        billed = invoiced(approved(100), 100)
        assert commitments.cancel_invoice(billed, amount=Decimal(100)).open == 100

    def test_cancelling_an_invoice_opens_nothing_that_has_expired(self) -> None:
        rest = commitments.expire(invoiced(approved(100), 40))
        assert commitments.cancel_invoice(rest, amount=Decimal(40)).open == 0

    def test_cancel_keeps_what_has_left(self) -> None:
        left = commitments.cancel(shipped(approved(100), 30))
        assert (left.approved, left.open, left.delivered, left.state) == (
            Decimal(30),
            ZERO,
            Decimal(30),
            OrderState.SHIPPED,
        )

    def test_close_frees_open_and_delivered(self) -> None:
        closed = commitments.close(shipped(approved(100), 30))
        assert (closed.open, closed.delivered, closed.state) == (ZERO, ZERO, OrderState.CLOSED)

    def test_close_does_not_hide_what_leaves_afterwards(self) -> None:
        closed = commitments.close(shipped(approved(100), 100))
        late = shipped(invoiced(closed, 100), 50)
        assert late.delivered == 50

    def test_close_does_not_hide_what_comes_back_and_leaves_again(self) -> None:
        closed = commitments.close(shipped(approved(100), 100))
        back = commitments.take_back(closed, amount=Decimal(40), reorder=True)
        assert back.delivered == 0
        assert shipped(back, 40).delivered == 40

    def test_hold_asks_for_what_is_beyond_the_approval(self) -> None:
        held = commitments.hold(approved(100), amount=Decimal(150), review_id=REVIEW)
        assert (held.held, held.approved, held.state) == (Decimal(50), Decimal(100), OrderState.OPEN)
        assert commitments.hold(order(), amount=Decimal(150), review_id=REVIEW).state is OrderState.HELD

    def test_approval_ends_the_hold(self) -> None:
        held = commitments.hold(order(), amount=Decimal(150), review_id=REVIEW)
        released = approved(150, held)
        assert (released.held, released.review_id, released.state) == (ZERO, None, OrderState.OPEN)

    def test_expiry_leaves_an_open_review_alone(self) -> None:
        held = commitments.hold(approved(100), amount=Decimal(150), review_id=REVIEW)
        expired = commitments.expire(held)
        assert (expired.state, expired.held, expired.open, expired.review_id) == (
            OrderState.HELD,
            Decimal(50),
            ZERO,
            REVIEW,
        )

    def test_lapse_ends_a_review_without_a_decision(self) -> None:
        held = commitments.hold(order(), amount=Decimal(150), review_id=REVIEW)
        assert commitments.lapse(held).state is OrderState.EXPIRED


IN_STATE: dict[OrderState, Commitment] = {
    OrderState.HELD: commitments.hold(order(), amount=Decimal(100), review_id=REVIEW),
    OrderState.DECLINED: commitments.decline(order()),
    OrderState.OPEN: approved(100),
    OrderState.PARTLY_SHIPPED: shipped(approved(100), 40),
    OrderState.SHIPPED: shipped(approved(100), 100),
    OrderState.PARTLY_INVOICED: invoiced(shipped(approved(100), 100), 40),
    OrderState.INVOICED: invoiced(shipped(approved(100), 100), 100),
    OrderState.CLOSED: commitments.close(approved(100)),
    OrderState.CANCELLED: commitments.cancel(approved(100)),
    OrderState.EXPIRED: commitments.expire(approved(100)),
}
MOVES: dict[OrderMove, Change] = {
    OrderMove.APPROVE: lambda before: approved(200, before),
    OrderMove.REFER: lambda before: commitments.hold(before, amount=Decimal(500), review_id=REVIEW),
    OrderMove.DECLINE: commitments.decline,
    OrderMove.SHIP: lambda before: shipped(before, 10),
    OrderMove.TAKE_BACK: lambda before: commitments.take_back(before, amount=before.shipped, reorder=False),
    OrderMove.INVOICE: lambda before: invoiced(before, 10),
    OrderMove.CANCEL_INVOICE: lambda before: commitments.cancel_invoice(before, amount=before.invoiced),
    OrderMove.CANCEL: commitments.cancel,
    OrderMove.CLOSE: commitments.close,
    OrderMove.EXPIRE: commitments.expire,
}
H, D, OP, PS, S, PI, IN, CL, CA, E = OrderState
AFTER: dict[OrderMove, tuple[OrderState | None, ...]] = {
    # In the state:            H     D     OP    PS    S     PI    IN    CL    CA    E     (None: the move is not legal)
    OrderMove.APPROVE:         (OP,   OP,   OP,   PS,   PS,   PI,   PI,   OP,   OP,   OP),
    OrderMove.REFER:           (H,    H,    OP,   PS,   S,    PI,   H,    H,    H,    H),
    OrderMove.DECLINE:         (D,    D,    OP,   PS,   S,    PI,   IN,   D,    D,    D),
    OrderMove.SHIP:            (S,    S,    PS,   PS,   S,    PI,   PI,   S,    S,    S),
    OrderMove.TAKE_BACK:       (CA,   CA,   OP,   OP,   CA,   IN,   IN,   CA,   CA,   CA),
    OrderMove.INVOICE:         (IN,   IN,   PI,   PI,   PI,   PI,   IN,   IN,   IN,   IN),
    OrderMove.CANCEL_INVOICE:  (CA,   CA,   OP,   PS,   S,    S,    S,    CA,   CA,   CA),
    OrderMove.CANCEL:          (CA,   CA,   CA,   S,    None, PI,   None, None, None, None),
    OrderMove.CLOSE:           (CL,   CL,   CL,   CL,   CL,   CL,   None, None, None, None),
    OrderMove.EXPIRE:          (H,    None, E,    S,    None, PI,   None, None, None, None),
}  # fmt: skip


class TestStates:
    def test_every_state_has_an_example(self) -> None:
        assert {state: made.state for state, made in IN_STATE.items()} == {state: state for state in OrderState}
        assert set(LEGAL) == set(OrderState)

    @pytest.mark.parametrize("move", list(OrderMove))
    @pytest.mark.parametrize("state", list(OrderState))
    def test_every_legal_move_leads_where_the_table_says(self, state: OrderState, move: OrderMove) -> None:
        expected = AFTER[move][list(OrderState).index(state)]
        before = IN_STATE[state]
        assert (move in LEGAL[state]) is (expected is not None)
        if expected is not None:
            assert MOVES[move](before).state is expected

    def test_cancelling_needs_something_to_free(self) -> None:
        assert IN_STATE[OrderState.OPEN].allows(OrderMove.CANCEL)
        assert IN_STATE[OrderState.HELD].allows(OrderMove.CANCEL)
        whole = replace(IN_STATE[OrderState.PARTLY_INVOICED], approved=Decimal(100))
        assert not whole.allows(OrderMove.CANCEL)
