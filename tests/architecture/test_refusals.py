"""Every refusal has a public code of its own, and a title."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator

import app
from app.kernel.errors import Refusal

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class TestRefusals:
    def test_have_a_public_code_each(self) -> None:
        codes = Counter(refusal.code for refusal in _refusals())
        assert [code for code, times in codes.items() if times > 1] == []
        assert [code for code in codes if not CODE.fullmatch(code)] == []

    def test_have_a_title(self) -> None:
        assert [refusal.__qualname__ for refusal in _refusals() if not refusal.title] == []

    def test_define_their_code_themselves(self) -> None:
        assert [refusal.__qualname__ for refusal in _refusals() if "code" not in vars(refusal)] == []


def _refusals() -> list[type[Refusal]]:
    """Every refusal of the program; the families, which stand directly below `Refusal`, are none."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return [refusal for family in Refusal.__subclasses__() for refusal in _below(family)]


def _below(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    for subclass in cls.__subclasses__():
        if subclass.__module__.startswith("app."):
            yield subclass
            yield from _below(subclass)
