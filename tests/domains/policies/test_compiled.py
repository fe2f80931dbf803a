"""The shelf of compiled policies."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.domains.policies.core.compiled import PolicyShelf, compile_policy
from app.domains.policies.core.document import Policy, default_document
from app.domains.policies.core.order_checks import OrderChecks
from app.domains.policies.core.refusals import PolicyInvalid

POLICY = Policy(OrderChecks())


def never() -> Policy:
    """A loader for what must be at hand."""
    raise AssertionError("it was at hand")


class TestCompilePolicy:
    def test_puts_document_profile_and_override_together(self) -> None:
        document = default_document() | {"profiles": {"retail": {"order_checks": {"reservation_days": 7}}}}
        patch = {"order_checks": {"recheck_grace_days": 0}}
        checks = compile_policy(document, profile="retail", override_patch=patch).order_checks
        assert (checks.reservation_days, checks.recheck_grace_days) == (7, 0)

    def test_refuses_what_is_not_valid_together(self) -> None:
        with pytest.raises(PolicyInvalid):
            compile_policy(default_document(), profile="x", override_patch={"order_checks": {"terms": {}}})


class TestShelf:
    def test_loads_once(self) -> None:
        shelf = PolicyShelf()
        assert shelf.peek("main", 1, "default") is None
        assert shelf.compiled("main", 1, "default", None, lambda: POLICY) is POLICY
        assert shelf.compiled("main", 1, "default", None, never) is POLICY
        assert shelf.peek("main", 1, "default") is POLICY

    def test_tells_apart_what_a_policy_is_made_of(self) -> None:
        shelf = PolicyShelf()
        shelf.compiled("main", 1, "default", None, lambda: POLICY)
        others = [("eu", 1, "default", None), ("main", 2, "default", None), ("main", 1, "retail", None)]
        assert [shelf.peek(*other) for other in others] == [None, None, None]
        assert shelf.peek("main", 1, "default", UUID(int=1)) is None

    def test_keeps_the_most_recently_used(self) -> None:
        shelf = PolicyShelf(size=2)
        for version in (1, 2):
            shelf.compiled("main", version, "default", None, lambda: POLICY)
        shelf.peek("main", 1, "default")
        shelf.compiled("main", 3, "default", None, lambda: POLICY)
        assert len(shelf) == 2
        assert [shelf.peek("main", version, "default") for version in (1, 2, 3)] == [POLICY, None, POLICY]

    def test_does_not_remember_a_failure(self) -> None:
        shelf = PolicyShelf()
        with pytest.raises(AssertionError):
            shelf.compiled("main", 1, "default", None, never)
        assert len(shelf) == 0
