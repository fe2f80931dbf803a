"""What is small can be read: whole files on a few screens, functions on one."""

from __future__ import annotations

import ast

from tests.architecture.source import modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60


class TestSizes:
    def test_no_file_is_longer_than_400_lines(self) -> None:
        lengths = {module.path: len(module.text.splitlines()) for module in modules("app", "migrations", "tests")}
        assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}

    def test_no_function_is_longer_than_60_lines(self) -> None:
        too_long = {
            f"{module.at(node)} {node.name}": lines
            for module in modules("app", "tests")
            for node in module.nodes()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
        }
        assert too_long == {}
