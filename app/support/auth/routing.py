"""Routes that know their callers before they read a byte of the body."""

from __future__ import annotations

from functools import cached_property

from app.infra.http.routing import StrictRoute, dependants
from app.infra.http.strict_json import StrictRequest
from app.support.auth.dependencies import Requirement, current_principal


class GuardedRoute(StrictRoute):
    """A route that checks credentials and scopes first: nobody else learns what a valid request would be."""

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """What `requires(…)` declared for this route."""
        return tuple(part.call for part in dependants(self.dependant) if isinstance(part.call, Requirement))

    async def admit(self, request: StrictRequest) -> None:
        """Raises `CredentialsMissing`, `CredentialsInvalid` or `ScopeMissing`."""
        principal = await current_principal(request)
        for requirement in self.requirements:
            principal.require(*requirement.scopes)
