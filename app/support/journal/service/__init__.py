"""Use cases of the journal: write and read, seal and delete, verify."""

from app.support.journal.service.access import RoleUnknown, grant
from app.support.journal.service.feed import Feed, read, write
from app.support.journal.service.sealing import (
    DELETE_BATCH,
    SEAL_BATCH,
    SealerBusy,
    delete_older,
    head,
    rebase,
    seal,
)
from app.support.journal.service.verification import (
    Stretch,
    compare_published,
    export,
    list_blocks,
    verify,
    verify_all,
)
from app.support.journal.service.watching import Watch, look

__all__ = [
    "DELETE_BATCH",
    "SEAL_BATCH",
    "Feed",
    "RoleUnknown",
    "SealerBusy",
    "Stretch",
    "Watch",
    "compare_published",
    "delete_older",
    "export",
    "grant",
    "head",
    "list_blocks",
    "look",
    "read",
    "rebase",
    "seal",
    "verify",
    "verify_all",
    "write",
]
