"""Dunning over HTTP: runs, notices, how customers stand, calls, and the law of late payment."""

from fastapi import APIRouter

from app.domains.dunning.routes import customers, notices, runs, tasks

router = APIRouter()
for part in (runs, notices, customers, tasks):
    router.routes.extend(part.router.routes)  # flat: see `add_routes`

__all__ = ["router"]
