"""No float for money: not in a core, not in a table, not on the wire."""

from __future__ import annotations

import ast

from tests.architecture.source import Module, dotted, modules

FLOAT_ALLOWED: dict[str, str] = {}
"""Files that may use floats, and what for; never for an amount."""
FLOAT_TYPES = {"float", "Float", "REAL", "DOUBLE", "DOUBLE_PRECISION", "Double"}


class TestMoney:
    def test_is_never_a_float(self) -> None:
        found = [
            f"{module.at(node)} {_text(node)}"
            for module in modules("app")
            if _deals_with_money(module) and module.path not in FLOAT_ALLOWED
            for node in module.nodes()
            if _is_float(node)
        ]
        assert found == []

    def test_exceptions_name_files_that_are_there(self) -> None:
        assert FLOAT_ALLOWED.keys() <= {module.path for module in modules("app")}


def _deals_with_money(module: Module) -> bool:
    parts = module.path.split("/")
    return module.path == "app/kernel/money.py" or (
        parts[1] == "domains"
        and ("core" in parts or "tables" in module.path or "schemas" in module.path or "answers" in module.path)
    )


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    return isinstance(node, ast.Name | ast.Attribute) and dotted(node).rsplit(".", 1)[-1] in FLOAT_TYPES


def _text(node: ast.AST) -> str:
    return repr(node.value) if isinstance(node, ast.Constant) else dotted(node)
