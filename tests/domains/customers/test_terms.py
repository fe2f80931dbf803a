"""Payment terms: due days and contradictions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.customers.core.terms import DueFrom, PaymentTerms, TermsContradictory, TermsKind

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))


class TestDueOn:
    def test_counts_net_days_from_the_invoice(self) -> None:
        assert PaymentTerms(net_days=30).due_on(date(2026, 1, 31)) == date(2026, 3, 2)

    def test_counts_net_days_from_the_end_of_the_month(self) -> None:
        terms = PaymentTerms(net_days=30, due_from=DueFrom.MONTH_END)
        assert terms.due_on(date(2026, 1, 5)) == date(2026, 3, 2)

    def test_knows_how_long_february_is(self) -> None:
        terms = PaymentTerms(net_days=0, due_from=DueFrom.MONTH_END)
        assert terms.due_on(date(2028, 2, 1)) == date(2028, 2, 29)
        assert terms.due_on(date(2026, 2, 1)) == date(2026, 2, 28)

    @given(issued_on=DAYS, net_days=st.integers(0, 3650))
    def test_is_never_before_the_invoice_and_never_a_month_more_than_from_it(
        self, issued_on: date, net_days: int
    ) -> None:
        plain = PaymentTerms(net_days=net_days).due_on(issued_on)
        month_end = PaymentTerms(net_days=net_days, due_from=DueFrom.MONTH_END).due_on(issued_on)
        assert issued_on <= plain <= month_end < plain + timedelta(days=31)


class TestTerms:
    def test_give_credit_only_on_account(self) -> None:
        assert {kind: PaymentTerms(kind, 0).on_credit for kind in TermsKind} == {
            TermsKind.ACCOUNT: True,
            TermsKind.PREPAID: False,
            TermsKind.CASH: False,
        }

    def test_refuse_a_discount_after_the_due_day(self) -> None:
        with pytest.raises(TermsContradictory) as refused:
            PaymentTerms(net_days=10, discount_days=11)
        assert [fault.pointer for fault in refused.value.faults] == ["/payment_terms/discount_days"]

    def test_allow_a_discount_up_to_the_due_day(self) -> None:
        assert PaymentTerms(net_days=10, discount_days=10).discount_days == 10
