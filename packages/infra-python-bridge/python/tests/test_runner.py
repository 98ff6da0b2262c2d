"""One runner: calls, errors, output, instances, modules."""

import base64
import json
import pickle

import pytest
from conftest import CONCURRENT, MARKED, OUTPUT, STALE, SUCCESS, RunnerHandle, Supervisor, encode

COUNTER = """
class C:
    def __init__(self, n=0): self.n = n
    def add(self): self.n += 1; return self.n
    async def slow(self, name):
        import asyncio
        print("begin", name); await asyncio.sleep(0.05); print("end", name)
        return name
"""


def class_request(method: str, **fields: object) -> dict:
    return {"class_name": "C", "class_code": COUNTER, "method_name": method, "serialization_format": "json", **fields}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(): return 1", 1),
        ("async def f(): return 2", 2),
        ("def f():\n yield 1\n yield 2", [1, 2]),
        ("async def f():\n yield 1\n yield 2", [1, 2]),
        ("async def g(): return 3\ndef f(): return g()", 3),
        ("async def g():\n yield 4\ndef f(): return g()", [4]),
        ("class F:\n async def __call__(self): return 5\nf = F()", 5),
        ("import functools\nf = functools.partial(int, '6')", 6),
        ("import asyncio\nasync def g(): return 7\ndef f(): return asyncio.run(g())", 7),
    ],
)
def test_calls(runner: RunnerHandle, code: str, expected: object) -> None:
    assert runner.value(code) == expected


def test_cloudpickle_round_trip(runner: RunnerHandle) -> None:
    frame = runner.run(
        "def f(a, *, b): return (a, b)", serialization_format=None, args=[encode({1})], kwargs={"b": encode(b"x")}
    )
    assert pickle.loads(base64.b64decode(frame.body)) == ({1}, b"x")


def test_request_inside_input(runner: RunnerHandle) -> None:
    request = {"function_name": "f", "function_code": "def f(): return 8", "serialization_format": "json"}
    runner.send({"id": "job", "input": request}, wrapped=True)
    assert json.loads(runner.receive().body) == 8


def test_large_frames(runner: RunnerHandle) -> None:
    assert runner.value("def f(a): return len(a)", args=["x" * 5_000_000]) == 5_000_000


def test_result_over_the_bound(runner: RunnerHandle) -> None:
    assert "FLASH_MAX_RESPONSE_BYTES" in runner.error("def f(): return 'x' * (1 << 21)")


@pytest.mark.parametrize(
    ("code", "start"),
    [
        ("def f(): raise ValueError('no')", "no\nTraceback"),
        ("def g(): pass", "function 'f' not found in the provided code; it defines: g"),
        ("x = 1", "function 'f' not found in the provided code; it defines no function or class"),
        ("f = 1", "'f' in the provided code is not a function but a int"),
        ("import sys\ndef f(): sys.exit(4)", "the code called sys.exit(4)"),
        ("def f(): return object()", "the result of type object is not JSON"),
    ],
)
def test_errors(runner: RunnerHandle, code: str, start: str) -> None:
    error = runner.error(code)
    assert error.startswith(start)
    assert "flash_runner" not in error


def test_traceback_shows_the_lines_of_the_user(runner: RunnerHandle) -> None:
    error = runner.error("def f():\n    first = 1\n    return first / 0  # here")
    assert "return first / 0  # here" in error
    assert "line 3, in f" in error


def test_exception_groups_hide_frames_of_the_worker(runner: RunnerHandle) -> None:
    code = "import asyncio\nasync def g(): raise ValueError('in task')\nasync def f():\n await asyncio.gather(g())"
    assert "flash_runner" not in runner.error(code)


def test_bad_arguments(runner: RunnerHandle) -> None:
    assert runner.error("def f(a): pass", serialization_format="cloudpickle", args=["AAAA"]).startswith("args[0] could not")


def test_output_keeps_its_order_and_is_marked_only_when_there_is_some(runner: RunnerHandle) -> None:
    assert not runner.run("def f(): pass").flags & MARKED
    code = (
        "import os, sys\ndef f():\n print(1); os.system('echo 2'); print(3, file=sys.stderr); os.write(1, b'4\\n'); print(5)"
    )
    runner.run(code)
    assert runner.printed() == "1\n2\n3\n4\n5\n"


def test_logging_is_captured(runner: RunnerHandle) -> None:
    runner.run("import logging\ndef f(): logging.getLogger('x').warning('w'); logging.info('i'); logging.debug('d')")
    assert runner.printed() == "WARNING:x:w\nINFO:root:i\n"


def test_fresh_namespace_and_clean_state(runner: RunnerHandle) -> None:
    assert runner.value("import os\nx = 1\ndef f():\n os.chdir('/'); os.closerange(0, 3)\n return x") == 1
    assert runner.value("def f(): return 'x' in globals()") is False
    assert runner.value("import os\ndef f(): print('heard'); return os.getcwd() != '/'") is True
    assert runner.printed().endswith("heard\n")


def test_modules(runner: RunnerHandle) -> None:
    modules = {"util.py": "v = 1", "pkg/__init__.py": "", "pkg/mod.py": "from util import v"}
    assert runner.value("def f():\n import pkg.mod\n return pkg.mod.v", modules=modules) == 1
    assert "No module named 'util'" in runner.error("import util\ndef f(): pass")


@pytest.mark.parametrize("path", ["../evil.py", "/evil.py", "a/../../evil.py"])
def test_modules_that_escape(runner: RunnerHandle, path: str) -> None:
    assert "leaves the module directory" in runner.error("def f(): pass", modules={path: ""})


def test_instances(runner: RunnerHandle) -> None:
    results = []
    for create in (False, False, True, False):
        runner.send(class_request("add", constructor_kwargs={"n": 10}), instance="i", create=create)
        results.append(json.loads(runner.receive().body))
    assert results == [11, 12, 11, 12]
    runner.send({}, drop="i")
    assert runner.receive().flags & SUCCESS
    runner.send(class_request("add"), instance="i", create=False)
    assert json.loads(runner.receive().body) == 1


def test_instance_that_could_not_be_made(runner: RunnerHandle) -> None:
    runner.send({**class_request("add"), "class_code": "class C:\n def __init__(self): 1/0"}, instance="i", create=False)
    assert runner.receive().header["has_instance"] is False


def test_overlapping_calls_of_one_instance(runner: RunnerHandle) -> None:
    runner.send(class_request("add"), instance="i", create=False)
    runner.receive()
    first = runner.send(class_request("slow", kwargs={"name": "a"}), instance="i", create=False)
    assert runner.receive(CONCURRENT).request == first
    others = [runner.send(class_request("slow", kwargs={"name": n}), instance="i", create=False) for n in "bc"]
    after = runner.send(class_request("add"), instance="i", create=False)
    answers = [runner.receive() for _ in range(4)]
    assert {frame.request for frame in answers} == {first, *others, after}
    assert answers[-1].request == after
    shared = {(frame.request, frame.body) for frame in runner.frames if frame.kind == OUTPUT}
    assert shared == {
        (n, f"{what} {name}\n".encode()) for n, name in zip(others, "bc", strict=True) for what in ("begin", "end")
    }
    assert "a" in runner.printed()


def test_stale_runner(supervisor: Supervisor) -> None:
    runner = supervisor.fork()
    runner.run("import wave\ndef f(): pass")
    request = {"function_name": "f", "function_code": "def f(): return 1", "serialization_format": "json"}
    runner.send(request, epoch=1, replaced=["other"])
    assert json.loads(runner.receive().body) == 1
    runner.send(request, epoch=2, replaced=["wave"])
    runner.receive(STALE)
