"""Policies ready for use, kept at hand: parsing a document for every order would cost more than judging by it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.domains.policies.core.document import Policy, effective, parse_rules

SHELF_SIZE: Final = 1024


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """What a customer's policy is made of. Versions in effect and decided overrides never change, nor does this."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The policy that holds for one customer in one segment, and what it is made of."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None
    policy: Policy


def compile_policy(
    document: Mapping[str, Any], *, profile: str, override_patch: Mapping[str, Any] | None = None
) -> Policy:
    """The policy of one customer out of the stored document. Raises `PolicyInvalid`."""
    return parse_rules(effective(document, profile=profile, override_patch=override_patch))


class PolicyShelf:
    """The most recently used policies of this process, at most `size`.

    None goes stale, because what a key stands for never changes.
    """

    def __init__(self, size: int = SHELF_SIZE) -> None:
        self._size = size
        self._policies: OrderedDict[PolicyKey, Policy] = OrderedDict()

    def __len__(self) -> int:
        return len(self._policies)

    def peek(self, segment: str, version: int, profile: str, override_id: UUID | None = None) -> Policy | None:
        """The policy, if it is at hand."""
        key = PolicyKey(segment, version, profile, override_id)
        policy = self._policies.get(key)
        if policy is not None:
            self._policies.move_to_end(key)
        return policy

    def compiled(
        self,
        segment: str,
        version: int,
        profile: str,
        override_id: UUID | None,
        load: Callable[[], Policy],
    ) -> Policy:
        """The policy, made by `load` the first time. What `load` raises is not remembered."""
        policy = self.peek(segment, version, profile, override_id)
        if policy is None:
            policy = load()
            self.keep(EffectivePolicy(segment, version, profile, override_id, policy))
        return policy

    def keep(self, found: EffectivePolicy) -> None:
        """Puts a policy on the shelf; the one that was used least recently goes where there is no room."""
        key = PolicyKey(found.segment, found.version, found.profile, found.override_id)
        self._policies[key] = found.policy
        self._policies.move_to_end(key)
        if len(self._policies) > self._size:
            self._policies.popitem(last=False)
