"""A zygote that is asked for a runner before it has imported what runners need."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from conftest import alive, eventually, started_supervisor

from flash_runner.zygote.commands import Fork, Start
from flash_runner.zygote.fork_runner import fork_runner


def break_cloudpickle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cloudpickle.py").write_text("raise ImportError('broken on purpose')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_every_runner_serves() -> None:
    with started_supervisor(lean=True) as supervisor:
        assert "cloudpickle" in supervisor.ready["modules"]
        runners = [supervisor.fork(), supervisor.fork()]
        time.sleep(0.6)  # the zygote imports the rest meanwhile
        runners.append(supervisor.fork())
        assert [runner.value("import cloudpickle\ndef f(): return 5") for runner in runners] == [5, 5, 5]


def test_what_is_not_there_is_told_before_the_first_runner() -> None:
    with started_supervisor(lean=True, flags=("-S",)) as supervisor:
        assert supervisor.ready == {"event": "failed", "reason": "No module named 'cloudpickle'"}


def test_what_can_not_be_imported_ends_zygote_and_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_cloudpickle(tmp_path, monkeypatch)
    with started_supervisor(lean=True) as supervisor:
        if supervisor.ready["event"] == "failed":
            # The zygote had the time to find out what is missing.
            assert supervisor.ready["reason"] == "broken on purpose"
            return
        runner = supervisor.fork()
        assert supervisor.event("failed")["reason"] == "broken on purpose"
        supervisor.process.wait(60)
        eventually(lambda: not alive(runner.pid))


def test_one_that_is_not_lean_has_imported_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_cloudpickle(tmp_path, monkeypatch)
    with started_supervisor(lean=False) as supervisor:
        assert supervisor.ready == {"event": "failed", "reason": "broken on purpose"}


def test_a_fork_that_fails_leaves_nothing_in_the_way_of_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_process() -> int:
        raise BlockingIOError("no process to be had")

    monkeypatch.setattr(os, "fork", no_process)
    start = Start(["1", "0", str(tmp_path).encode().hex(), "-", "0", "0", "-"])
    config = Fork(["1", "00", "1024", "1", "0", "0"]).config(start)
    for _ in range(2):
        with pytest.raises(BlockingIOError, match="no process"):
            fork_runner(config, lambda: None)
