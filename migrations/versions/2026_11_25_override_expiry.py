"""Overrides of a policy that have run out say so.

Revision ID: override_expiry
Revises: collecting
"""

from collections.abc import Sequence

from alembic import op

revision: str = "override_expiry"
down_revision: str | None = "collecting"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BEFORE = "status in ('pending', 'approved', 'rejected', 'replaced')"
_AFTER = "status in ('pending', 'approved', 'rejected', 'replaced', 'expired')"


def upgrade() -> None:
    _say(_AFTER)


def downgrade() -> None:
    op.execute("update policy_overrides set status = 'replaced' where status = 'expired'")
    _say(_BEFORE)


def _say(rule: str) -> None:
    """The table has a row for each override ever proposed: few, so the check of all of them takes a moment."""
    op.drop_constraint(op.f("ck_policy_overrides_status"), "policy_overrides")
    op.create_check_constraint(op.f("ck_policy_overrides_status"), "policy_overrides", rule)
