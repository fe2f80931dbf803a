"""Public registers: whether a registration number can be right, by its format and check digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from stdnum import lei
from stdnum.cn import uscc
from stdnum.eu import vat
from stdnum.exceptions import InvalidFormat, ValidationError

from app.domains.customers.core.customer import Registration, RegistrationScheme
from app.domains.customers.core.refusals import RegistrationInvalid
from app.kernel.errors import Fault

_LEI: Final = re.compile(r"[A-Z0-9]{18}[0-9]{2}")


def _lei(number: str) -> str:
    """ISO 17442: the library verifies the check digits but neither length nor format."""
    compact: str = lei.validate(number)
    if not _LEI.fullmatch(compact):
        raise InvalidFormat
    return compact


_CHECKS: Final[Mapping[RegistrationScheme, Callable[[str], str]]] = {
    RegistrationScheme.CN_USCC: uscc.validate,
    RegistrationScheme.EU_VAT: vat.validate,
    RegistrationScheme.LEI: _lei,
}


def verified(registration: Registration) -> Registration:
    """`registration` with its number in the register's compact form. Raises `RegistrationInvalid`.

    Numbers of the scheme `OTHER` have no check digits that we know of and are kept as they are.
    """
    check = _CHECKS.get(registration.scheme)
    if check is None:
        return registration
    try:
        return Registration(registration.scheme, check(registration.value))
    except ValidationError as error:
        message = f"not a number of {registration.scheme.value}: {error}"
        fault = Fault("/registration/value", RegistrationInvalid.code, message)
        raise RegistrationInvalid(message, faults=[fault]) from None
