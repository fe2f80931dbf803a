"""Which parents make a group, and which a circle."""

from __future__ import annotations

import pytest

from app.domains.customers.core.groups import MAX_DEPTH, check_parent
from app.domains.customers.core.refusals import GroupTooDeep, ParentCycle


class TestCheckParent:
    def test_allows_a_parent_outside_the_customers_group(self) -> None:
        check_parent("LEAF", ["MIDDLE", "HEAD"], height=1)

    @pytest.mark.parametrize("chain", [["SELF"], ["CHILD", "SELF"], ["GRANDCHILD", "CHILD", "SELF", "HEAD"]])
    def test_refuses_itself_and_its_descendants(self, chain: list[str]) -> None:
        with pytest.raises(ParentCycle) as refused:
            check_parent("SELF", chain, height=1)
        assert [fault.pointer for fault in refused.value.faults] == ["/parent_id"]

    def test_allows_the_longest_chain(self) -> None:
        check_parent("LEAF", [f"P{level}" for level in range(MAX_DEPTH - 3)], height=3)

    def test_refuses_a_longer_one(self) -> None:
        with pytest.raises(GroupTooDeep):
            check_parent("LEAF", [f"P{level}" for level in range(MAX_DEPTH - 2)], height=3)
