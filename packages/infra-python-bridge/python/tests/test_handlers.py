"""Handlers of deployed apps: answers, streams, progress."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CHUNK, PROGRESS, SUCCESS, Frame, RunnerHandle


def call(runner: RunnerHandle, file: Path, job: Any, window: int = 16) -> int:
    return runner.send(job, handler=str(file), instance=str(file), create=False, window=window)


def handler(tmp_path: Path, code: str) -> Path:
    file = tmp_path / "handler_app.py"
    file.write_text(code, encoding="utf-8")
    return file


def said(frame: Frame) -> tuple[Any, dict[str, Any]]:
    assert frame.flags & SUCCESS, frame.header
    return json.loads(frame.body), frame.header["handler"]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_answer(runner: RunnerHandle, tmp_path: Path, kind: str) -> None:
    file = handler(tmp_path, f"{kind} handler(job): return {{'n': job['input'], 'error': 'x', 'refresh_worker': 1}}")
    call(runner, file, {"id": "j", "input": 3})
    assert said(runner.receive()) == ({"n": 3}, {"stream": False, "refresh": True, "error": "x", "empty": False})


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_stream_waits_for_acknowledgements(runner: RunnerHandle, tmp_path: Path, kind: str) -> None:
    file = handler(tmp_path, f"{kind} handler(job):\n for i in range(5):\n  yield i")
    request = call(runner, file, {"id": "j", "input": 1}, window=2)
    assert [runner.receive(CHUNK).body for _ in range(2)] == [b"0", b"1"]
    for expected in (b"2", b"3", b"4"):
        head = json.dumps({"id": request, "ack": 1}).encode()
        runner.data.sendall(len(head).to_bytes(4, "big") + bytes(4) + head)
        assert runner.receive(CHUNK).body == expected
    assert said(runner.receive())[1]["stream"] is True


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_cancel_of_a_stream_that_waits(runner: RunnerHandle, tmp_path: Path, kind: str) -> None:
    file = handler(tmp_path, f"{kind} handler(job):\n while True:\n  yield 1")
    request = call(runner, file, {"id": "j", "input": 1}, window=1)
    runner.receive(CHUNK)
    runner.cancel(request)
    assert not runner.receive().flags & SUCCESS
    assert runner.value("def f(): return 1") == 1


def test_failure_has_its_parts(runner: RunnerHandle, tmp_path: Path) -> None:
    file = handler(tmp_path, "def handler(job):\n raise ValueError('no')")
    call(runner, file, {"id": "j", "input": 1})
    failure = runner.receive().header["failure"]
    assert (failure["type"], failure["message"]) == ("<class 'ValueError'>", "no")
    assert "line 2, in handler" in failure["traceback"]


def test_progress_of_the_platforms_own_sdk(runner: RunnerHandle, tmp_path: Path) -> None:
    package = tmp_path / "runpod" / "serverless" / "modules"
    package.mkdir(parents=True)
    (tmp_path / "runpod" / "__init__.py").write_text("")
    (tmp_path / "runpod" / "serverless" / "__init__.py").write_text("from .modules.rp_progress import progress_update\n")
    (package / "__init__.py").write_text("")
    (package / "rp_progress.py").write_text(
        "def progress_update(job, progress): raise RuntimeError('the SDK posts by itself')\n"
    )
    code = "import runpod.serverless\ndef handler(job):\n runpod.serverless.progress_update(job, {'n': 1})\n"
    code += " runpod.serverless.progress_update(job, progress='named')\n return 1"
    call(runner, handler(tmp_path, code), {"id": "j", "input": 1})
    assert [json.loads(runner.receive(PROGRESS).body) for _ in range(2)] == [{"n": 1}, "named"]
    assert said(runner.receive())[0] == 1


def test_a_file_that_fails_is_loaded_again_next_time(runner: RunnerHandle, tmp_path: Path) -> None:
    file = handler(tmp_path, "import not_there_yet\ndef handler(job): return not_there_yet.value")
    call(runner, file, {"id": "j", "input": 1})
    failed = runner.receive()
    assert "not_there_yet" in failed.header["error"]
    assert failed.header["has_instance"] is False
    assert failed.header["failure"]["missing"] == "not_there_yet"
    (tmp_path / "not_there_yet.py").write_text("value = 5\n")
    call(runner, file, {"id": "j", "input": 1})
    assert said(runner.receive())[0] == 5


def test_only_loading_wants_for_a_module(runner: RunnerHandle, tmp_path: Path) -> None:
    file = handler(tmp_path, "def handler(job):\n import not_there.at_all\n return 1")
    call(runner, file, {"id": "j", "input": 1})
    failed = runner.receive()
    assert "not_there" in failed.header["error"]
    assert "missing" not in failed.header["failure"]
