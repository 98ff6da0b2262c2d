"""Processes: cancellation, crashes, what user code leaves behind, the zygote's end."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from conftest import OUTPUT, STALE, SUCCESS, RunnerHandle, Supervisor, alive, eventually

LOOP = "def f():\n while True: pass"


def request(code: str) -> dict:
    return {"function_name": "f", "function_code": code, "serialization_format": "json"}


@pytest.mark.parametrize(
    "code",
    [
        LOOP,
        "import time\ndef f(): time.sleep(100)",
        "import asyncio\nasync def f(): await asyncio.sleep(100)",
        "import threading\ndef f(): threading.Event().wait(100)",
        "while True: pass",
    ],
)
def test_cancel(runner: RunnerHandle, code: str) -> None:
    number = runner.send(request(code))
    # Where it has not begun by now the cancellation overtakes it, which is to be heeded just as well.
    time.sleep(0.15)
    runner.cancel(number)
    # Nothing else ends the code in the minute that an answer is waited for.
    assert not runner.receive().flags & SUCCESS
    assert runner.value("def f(): return 1") == 1


def test_cancel_that_is_swallowed_once(runner: RunnerHandle) -> None:
    code = (
        "import time\ndef f():\n for count in range(2):\n  try:\n   print('try', count)\n   while True: time.sleep(0.01)\n"
        "  except BaseException: pass\n return 'done'"
    )
    number = runner.send(request(code))
    for again in (False, True):
        runner.hear(f"try {int(again)}\n")
        runner.cancel(number, again)
    assert json.loads(runner.receive().body) == "done"


def test_cancel_of_a_coroutine_that_blocks(runner: RunnerHandle) -> None:
    number = runner.send(request("import time\nasync def f():\n while True: time.sleep(0.01)"))
    for again in (False, True):
        time.sleep(0.1)
        runner.cancel(number, again)
    assert not runner.receive().flags & SUCCESS


def test_cancel_of_another_request_does_nothing(runner: RunnerHandle) -> None:
    runner.run("def f(): pass")
    number = runner.send(request("import time\ndef f(): time.sleep(0.2); return 1"))
    runner.cancel(number - 1)
    assert json.loads(runner.receive().body) == 1


def test_cancel_that_overtakes_its_request(runner: RunnerHandle) -> None:
    runner.cancel(runner.next)
    time.sleep(0.05)
    runner.send(request(LOOP))
    assert not runner.receive().flags & SUCCESS


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os\ndef f(): os._exit(3)", {"code": 3, "signal": None}),
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGKILL)", {"code": None, "signal": "SIGKILL"}),
        ("import ctypes\ndef f(): ctypes.string_at(0)", {"code": None, "signal": "SIGSEGV"}),
    ],
)
def test_crashes_are_reported(supervisor: Supervisor, code: str, expected: dict) -> None:
    crashing, other = supervisor.fork(), supervisor.fork()
    crashing.send(request(code))
    event = supervisor.event("exited")
    assert {key: event[key] for key in expected} == expected
    assert other.value("def f(): return 1") == 1


def test_closed_descriptors(supervisor: Supervisor) -> None:
    runner = supervisor.fork()
    runner.send(request("import os\ndef f(): os.closerange(0, 65536); return 'still here'"))
    connection, _ = supervisor.listener.accept()
    connection.settimeout(60)
    received = b""
    while b"still here" not in received:
        received += connection.recv(65536)
    assert b'"resumed": 1' in received


def test_children_left_behind_retire_the_runner_and_end_with_it(supervisor: Supervisor) -> None:
    runner = supervisor.fork()
    code = (
        "import subprocess\ndef f():\n"
        " return [subprocess.Popen(['sleep', '100']).pid, subprocess.Popen(['setsid', 'sleep', '100']).pid]"
    )
    pids = runner.value(code)
    assert runner.retirement()["kind"] == "children"
    assert all(alive(pid) for pid in pids)
    supervisor.kill(0)
    assert supervisor.event("exited")["signal"] == "SIGKILL"
    eventually(lambda: not any(alive(pid) for pid in pids))


def test_forked_child_never_answers(runner: RunnerHandle) -> None:
    assert runner.value("import os\ndef f(): return 'child' if os.fork() == 0 else 'parent'") == "parent"
    assert runner.value("def f(): return 1") == 1


def test_threads_left_behind_retire_the_runner_which_waits_for_them(supervisor: Supervisor, tmp_path: Path) -> None:
    runner = supervisor.fork()
    held = tmp_path / "held"
    held.touch()
    code = (
        "import os, threading, time\ndef late():\n"
        f" while os.path.exists({str(held)!r}): time.sleep(0.01)\n"
        " print('LATE')\n"
        "def f(): threading.Thread(target=late).start()"
    )
    runner.run(code)
    assert runner.retirement()["kind"] == "threads"
    number = runner.send(request("def f(): pass"))
    assert runner.receive(STALE).request == number
    runner.send({}, exit=True)
    held.unlink()
    event = supervisor.event("exited")
    assert event["code"] == 0
    printed = b"".join(frame.body for frame in runner.frames if frame.kind == OUTPUT)
    while printed != b"LATE\n":
        printed += runner.receive(OUTPUT).body
        assert b"LATE\n".startswith(printed)


def test_everything_ends_with_the_supervisor(supervisor: Supervisor) -> None:
    runner = supervisor.fork()
    child = runner.value("import subprocess\ndef f(): return subprocess.Popen(['setsid', 'sleep', '100']).pid")
    runner.send(request(LOOP))
    supervisor.close()
    assert not alive(runner.pid)
    assert not alive(child)


def test_runners_end_with_a_killed_zygote(supervisor: Supervisor) -> None:
    runner = supervisor.fork()
    runner.run("def f(): pass")
    os.kill(supervisor.ready["pid"], signal.SIGKILL)
    supervisor.process.wait(60)
    eventually(lambda: not alive(runner.pid))
