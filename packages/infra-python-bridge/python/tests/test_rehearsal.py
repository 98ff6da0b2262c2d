"""A runner that serves one request runs one of its own before, which leaves no trace."""

from __future__ import annotations

from conftest import Supervisor, eventually

LOOK = """
import gc, os, sys, threading
def f():
    print("mine")
    found = [sorted(sys.modules), len(sys.path), sorted(os.environ), os.getcwd(), sys.argv]
    return found + [threading.active_count(), gc.isenabled()]
"""


def test_a_spare_runner_rehearses_and_its_request_finds_it_as_new(supervisor: Supervisor) -> None:
    fresh, spare = supervisor.fork(), supervisor.fork(reuses=False)
    rehearsed = supervisor.directory / f"{supervisor.count - 1}.live" / "0" / "flash_live.py"
    eventually(rehearsed.exists)
    expected = fresh.value(LOOK)
    # An answer to the rehearsal would come first.
    assert spare.value(LOOK) == expected
    assert spare.printed() == "mine\n"
