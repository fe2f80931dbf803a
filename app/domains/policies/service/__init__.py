"""Use cases of policies, by topic: segments, versions, overrides, and the policy in effect for a customer."""

from app.domains.policies.service.effective import (
    ActivePolicy,
    EffectiveDocument,
    active,
    effective_document,
    effective_policies,
    effective_policy,
    recall,
)
from app.domains.policies.service.overrides import (
    OverrideView,
    approve_override,
    current_override,
    expire_overrides,
    propose_override,
    reject_override,
)
from app.domains.policies.service.segments import (
    list_segments,
    open_segment,
    segment,
    set_default_time_zone,
)
from app.domains.policies.service.versions import (
    VersionPage,
    VersionView,
    activate,
    approve,
    compare,
    draft,
    edit,
    list_versions,
    reject,
    submit,
    version,
)

__all__ = [
    "ActivePolicy",
    "EffectiveDocument",
    "OverrideView",
    "VersionPage",
    "VersionView",
    "activate",
    "active",
    "approve",
    "approve_override",
    "compare",
    "current_override",
    "draft",
    "edit",
    "effective_document",
    "effective_policies",
    "effective_policy",
    "expire_overrides",
    "list_segments",
    "list_versions",
    "open_segment",
    "propose_override",
    "recall",
    "reject",
    "reject_override",
    "segment",
    "set_default_time_zone",
    "submit",
    "version",
]
