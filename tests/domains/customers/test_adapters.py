"""Registration numbers: their check digits."""

from __future__ import annotations

import pytest

from app.domains.customers.adapters import verified
from app.domains.customers.core.customer import Registration, RegistrationScheme
from app.domains.customers.core.refusals import RegistrationInvalid

VALID = [
    (RegistrationScheme.CN_USCC, "91110000600037341L"),
    (RegistrationScheme.EU_VAT, "DE136695976"),
    (RegistrationScheme.LEI, "213800KUD8LAJWSQ9D15"),
    (RegistrationScheme.OTHER, "whatever / 7"),
]
INVALID = [
    (RegistrationScheme.CN_USCC, "91110000600037342L"),
    (RegistrationScheme.CN_USCC, "9"),
    (RegistrationScheme.EU_VAT, "DE136695978"),
    (RegistrationScheme.EU_VAT, "XX1"),
    (RegistrationScheme.LEI, "213800KUD8LXJWSQ9D15"),
    (RegistrationScheme.LEI, "1"),
    (RegistrationScheme.LEI, "统一社会信用代码"),
]


class TestVerified:
    @pytest.mark.parametrize(("scheme", "value"), VALID)
    def test_keeps_a_right_number(self, scheme: RegistrationScheme, value: str) -> None:
        assert verified(Registration(scheme, value)) == Registration(scheme, value)

    @pytest.mark.parametrize(("scheme", "value"), INVALID)
    def test_refuses_a_wrong_number_at_its_value(self, scheme: RegistrationScheme, value: str) -> None:
        with pytest.raises(RegistrationInvalid) as refused:
            verified(Registration(scheme, value))
        assert [fault.pointer for fault in refused.value.faults] == ["/registration/value"]

    def test_drops_separators(self) -> None:
        spaced = Registration(RegistrationScheme.EU_VAT, "DE 136 695 976")
        assert verified(spaced).value == "DE136695976"
