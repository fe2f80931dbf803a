"""What a caller may do: scopes, and the roles that bundle them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """One permission. A write scope includes reading the same resource; `admin` includes all."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    ORDERS_CHECK = "orders:check"
    ORDERS_RELEASE = "orders:release"
    RECEIVABLES_WRITE = "receivables:write"
    RECEIVABLES_WRITE_OFF = "receivables:write_off"
    CREDIT_DATA_WRITE = "credit_data:write"
    ASSESSMENTS_WRITE = "assessments:write"
    LIMITS_REQUEST = "limits:request"
    LIMITS_APPROVE = "limits:approve"
    LIMITS_SET = "limits:set"
    HOLDS_WRITE = "holds:write"
    FX_WRITE = "fx:write"
    POLICIES_WRITE = "policies:write"
    POLICIES_APPROVE = "policies:approve"
    DUNNING_WRITE = "dunning:write"
    REPORTS_READ = "reports:read"
    ACTIVITY_READ = "activity:read"
    AUDITS_WRITE = "audits:write"
    JOURNAL_READ = "journal:read"
    KEYS_WRITE = "keys:write"
    ADMIN = "admin"


IMPLIED_BY: Final[Mapping[Scope, frozenset[Scope]]] = {Scope.CUSTOMERS_READ: frozenset({Scope.CUSTOMERS_WRITE})}
"""Scopes that a wider one includes; `admin` includes every scope and is not repeated here."""


class Role(StrEnum):
    """A job in the credit department, or a system beside it."""

    ORDER_DESK = "order_desk"
    ACCOUNTS_RECEIVABLE = "accounts_receivable"
    COLLECTOR = "collector"
    CREDIT_ANALYST = "credit_analyst"
    CREDIT_MANAGER = "credit_manager"
    FINANCE_DIRECTOR = "finance_director"
    AUDITOR = "auditor"
    INTEGRATION = "integration"
    ADMINISTRATOR = "administrator"


_READING: Final = {Scope.CUSTOMERS_READ, Scope.REPORTS_READ}
_DECIDING: Final = {
    *_READING,
    Scope.ORDERS_RELEASE,
    Scope.LIMITS_APPROVE,
    Scope.LIMITS_SET,
    Scope.RECEIVABLES_WRITE_OFF,
    Scope.ACTIVITY_READ,
    Scope.JOURNAL_READ,
}
"""What a superior decides. They neither ask for what they decide nor maintain the customers it is about."""

Bundles = Mapping[Role, frozenset[Scope]]
"""The scopes of every role."""

SCOPES_OF_ROLE: Final[Bundles] = {
    Role.ORDER_DESK: frozenset({Scope.CUSTOMERS_READ, Scope.ORDERS_CHECK}),
    Role.ACCOUNTS_RECEIVABLE: frozenset({*_READING, Scope.RECEIVABLES_WRITE, Scope.FX_WRITE}),
    Role.COLLECTOR: frozenset({*_READING, Scope.DUNNING_WRITE}),
    Role.CREDIT_ANALYST: frozenset(
        {
            Scope.CUSTOMERS_WRITE,
            Scope.CREDIT_DATA_WRITE,
            Scope.ASSESSMENTS_WRITE,
            Scope.LIMITS_REQUEST,
            Scope.REPORTS_READ,
        }
    ),
    Role.CREDIT_MANAGER: frozenset(
        {
            *_DECIDING,
            Scope.CREDIT_DATA_WRITE,
            Scope.ASSESSMENTS_WRITE,
            Scope.HOLDS_WRITE,
            Scope.POLICIES_WRITE,
            Scope.DUNNING_WRITE,
        }
    ),
    Role.FINANCE_DIRECTOR: frozenset({*_DECIDING, Scope.POLICIES_APPROVE}),
    Role.AUDITOR: frozenset({*_READING, Scope.JOURNAL_READ, Scope.AUDITS_WRITE}),
    Role.INTEGRATION: frozenset(
        {
            Scope.CUSTOMERS_WRITE,
            Scope.ORDERS_CHECK,
            Scope.RECEIVABLES_WRITE,
            Scope.CREDIT_DATA_WRITE,
            Scope.FX_WRITE,
        }
    ),
    Role.ADMINISTRATOR: frozenset({Scope.KEYS_WRITE}),
}
"""What roles bundle unless the settings say otherwise. No bundle breaks a duty of `duties.DUTIES`."""
