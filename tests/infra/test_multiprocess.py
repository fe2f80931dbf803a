"""Metrics of several processes: what the dead have counted stays, until a new generation begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.infra import multiprocess
from app.infra.multiprocess import DIRECTORY


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    return tmp_path


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def files(directory: Path, pid: int) -> list[Path]:
    paths = [directory / f"counter_{pid}.db", directory / f"gauge_livemax_{pid}.db"]
    for path in paths:
        path.touch()
    return paths


class TestStartAfresh:
    def test_removes_what_the_dead_left(self, directory: Path) -> None:
        files(directory, dead_pid())
        own = files(directory, os.getpid())
        multiprocess.start_afresh()
        assert sorted(directory.iterdir()) == sorted(own)

    def test_keeps_what_the_dead_counted_while_others_live(self, directory: Path) -> None:
        left = files(directory, dead_pid())
        files(directory, os.getppid())
        multiprocess.start_afresh()
        assert all(path.exists() for path in left)

    def test_does_nothing_for_one_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(DIRECTORY, raising=False)
        multiprocess.start_afresh()


class TestRegistry:
    def test_leaves_out_the_gauges_of_the_dead(self, directory: Path) -> None:
        counter, gauge = files(directory, dead_pid())
        multiprocess.registry()
        assert counter.exists()
        assert not gauge.exists()
