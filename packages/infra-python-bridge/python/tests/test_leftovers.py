"""What one request's code leaves to run or to be written later is not in the next one's answer, and ends no runner."""

from __future__ import annotations

import pytest
from conftest import RunnerHandle

MINE = "import sys\ndef f():\n print('mine'); sys.stderr.write('err\\n'); return 1"


def left_for_the_next(runner: RunnerHandle, code: str) -> str:
    """Run code, then look at what a second request prints."""
    runner.run(code)
    runner.printed()
    assert runner.value(MINE) == 1
    return runner.printed()


@pytest.mark.parametrize(
    "code",
    [
        "import os\ndef f():\n os.close(1)\n try: print('lost')\n except OSError: pass",
        "def g():\n try: yield\n finally: print('late')\nkept = g(); next(kept)\ndef f(): pass",
        "class D:\n def __del__(self): raise KeyboardInterrupt\nkept = D(); kept.me = kept\ndef f(): pass",
        "import os\ndef f(): os.set_blocking(1, False)",
        "import sys\ndef f(): sys.stdout.write = sys.stdout.flush = sys.stderr.flush = lambda *a: 1 / 0",
        "import os\nclass D(dict):\n def __eq__(self, other): raise KeyboardInterrupt\n copy = __eq__\ndef f(): os.environ._data = D()",
    ],
    ids=["unwritten", "generator", "finalizer", "blocking", "methods", "environment"],
)
def test_nothing_of_a_request_is_in_the_next_ones_output(runner: RunnerHandle, code: str) -> None:
    assert left_for_the_next(runner, code) == "mine\nerr\n"


def test_a_detached_buffer_writes_to_the_end(runner: RunnerHandle) -> None:
    code = "import io, sys\ndef f():\n sys.stdout = io.TextIOWrapper(sys.stdout.detach())\n print('through it')"
    assert runner.run(code).flags & 1
    assert runner.printed() == "through it\n"
    code = "import sys\ndef f():\n b = sys.stdout.detach(); b.write(b'bytes'); b.flush()"
    assert runner.run(code).flags & 1
    assert runner.printed() == "bytes"
    assert left_for_the_next(runner, code) == "mine\nerr\n"


def test_finalizers_print_for_their_own_request(runner: RunnerHandle) -> None:
    code = "class D:\n def __del__(self): print('the end')\nkept = D()\ndef f(): print('work')"
    assert runner.run(code).flags & 1
    assert runner.printed() == "work\nthe end\n"


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit(3)", "GeneratorExit"])
def test_an_exception_whose_text_can_not_be_made_is_told_by_its_type(runner: RunnerHandle, raised: str) -> None:
    broken = f"class Broken(Exception):\n def __str__(self): raise {raised}\n __repr__ = __str__\n"
    assert "Broken" in runner.error(broken + "def f(): raise Broken")
    assert "SystemExit" in runner.error(broken + "def f(): raise SystemExit(Broken())")
    assert runner.value("def f(): return 1") == 1


def test_an_object_that_raises_when_it_is_asked_for_anything_retires_the_runner_at_most(runner: RunnerHandle) -> None:
    runner.run("import sys\nclass S:\n def __getattribute__(self, name): raise SystemExit(name)\ndef f(): sys.stdout = S()")
    assert "SystemExit" in runner.retirement()["reason"]
