"""A slice's tables, repository and schemas are its own; others see its core and its service.

Who stands above whom is checked by import-linter; this is the rule that it has no words for.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.architecture.source import Module, modules

PRIVATE = {"tables", "repository", "schemas", "records", "adapters"}
EXEMPT = {
    "app/domains/orders/desk_sql.py": "two statements that read and write the rows of several slices at once",
    "app/domains/orders/sitting.py": "turns what those statements read into facts, and decisions into what they write",
}
READ_SIDE = "app/domains/monitoring/repository"


class TestSlices:
    def test_keep_their_tables_repository_and_schemas_to_themselves(self) -> None:
        found = [
            f"{module.path} imports {name}"
            for module in modules("app")
            if module.path not in EXEMPT and not module.path.startswith(READ_SIDE)
            for name in _private_parts_of_others(module)
        ]
        assert sorted(set(found)) == []


def _private_parts_of_others(module: Module) -> Iterator[str]:
    """The private parts that `module`, itself in a slice or in the console, takes from a slice not its own."""
    if not module.path.startswith(("app/domains/", "app/support/", "app/console/")):
        return
    own = module.path.split("/")[1:3]
    for _, name in module.imports():
        app, *slice_, part = (*name.split("."), "", "", "")[:4]
        if app == "app" and slice_[0] in ("domains", "support") and slice_ != own and part in PRIVATE:
            yield name
