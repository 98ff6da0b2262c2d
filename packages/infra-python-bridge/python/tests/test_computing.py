"""Code that only computes is told from all other code: after it nothing is put back."""

from __future__ import annotations

import base64
import importlib
import pickle
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest
from conftest import RunnerHandle, encode

from flash_runner.user_code import computing
from flash_runner.user_code.computing import only_computes

COMPUTES = {
    "addition": "def add(a, b):\n    return a + b",
    "texts": "def f(name):\n    words = [w.strip() for w in name.split(',')]\n    return f'{len(words):>4} {words[0]}'",
    "loops and errors": """
def f(n: int = 3, *rest, **named) -> list:
    found = []
    for _ in range(n):
        try:
            found.append(1 / (n - 2))
        except ZeroDivisionError as error:
            found.append(str(error))
        finally:
            n -= 1
    while found and not found[-1]:
        del found[-1]
    print(found, sep="", flush=True)
    return found
""",
    "functions in functions": """
import json
import math
from collections import Counter, defaultdict
from datetime import datetime, timedelta

LIMIT = 3

def outer(text):
    counts = Counter(text)
    def inner(pair):
        nonlocal text
        return -pair[1]
    later = datetime.now() + timedelta(days=1)
    return sorted(counts.items(), key=inner)[:LIMIT], math.sqrt(len(text)), json.dumps({"at": str(later)})
""",
    "generator": "def f(n):\n    yield from (x * x for x in range(n) if x % 2)",
    "regular expressions": "import re\ndef f(t):\n    return [m.group(1) for m in re.finditer('a(b+)', t)]",
    "line ends": "def f(rows): return '\\n'.join(rows)",
    "sleeping": "import time\ndef f(s):\n    time.sleep(s)\n    return time.monotonic()",
}
DOES_MORE = {
    "import of os": "import os\ndef f(): return 1",
    "import of a library": "import numpy as np\ndef f(): return 1",
    "relative import": "from . import json\ndef f(): return 1",
    "import of everything": "from json import *\ndef f(): return 1",
    "module of a module": "import json\ndef f(): return json.decoder.scanner",
    "module by way of its package": "from json import decoder\ndef f(): return 1",
    "import under another name": "from json import loads as open\ndef f(): return 1",
    "submodule": "import json.decoder\ndef f(): return 1",
    "import function": "def f(): return __import__('os')",
    "open": "def f(): return open('/tmp/x', 'w')",
    "open by another name": "g = open\ndef f(): return g('/tmp/x')",
    "evaluation": "def f(t): return eval(t)",
    "execution": "def f(t): exec(t)",
    "attributes by name": "def f(a): return getattr(a, 'gi' + '_frame')",
    "own globals": "def f(): return globals()",
    "variables": "def f(a): return vars(a)",
    "builtins": "def f(): return __builtins__",
    "loader of the module": "def f(): return __loader__",
    "globals of a function": "def g(): pass\ndef f(): return g.__globals__",
    "classes of the process": "def f(): return ().__class__.__base__.__subclasses__()",
    "frame of a generator": "def g():\n    yield 1\ndef f(): return g().gi_frame.f_back.f_globals",
    "name that is an attribute elsewhere": "gi_frame = 1\ndef g():\n    yield 1\ndef f(): return g().gi_frame",
    "frame by a pattern": "def g():\n    yield 1\ndef f():\n    match g():\n        case object(gi_frame=f): return f",
    "frame of a traceback": "def f():\n    try: 1 / 0\n    except Exception as e: return e.__traceback__.tb_frame",
    "frame of a coroutine": "async def g(): pass\ndef f(): return g().cr_frame",
    "asynchronous function": "async def f(): return 1",
    "asynchronous comprehension": "async def g():\n    return [x async for x in h()]",
    "class": "class A:\n    def __del__(self): print('late')\ndef f(): return 1",
    "class by way of type": "def f(): return type('A', (), {})",
    "attribute of a module": "import math\ndef f(): math.pi = 3",
    "attribute of a function": "def f(): f.calls = 1",
    "deleted attribute": "import math\ndef f():\n    del math.pi",
    "context manager": "def f(a):\n    with a: pass",
    "standard input": "def f(): return input()",
    "debugger": "def f(): breakpoint()",
    "exit": "def f(): exit()",
    "exception that ends the process": "def f(): raise SystemExit(1)",
    "keyboard interrupt": "def f(): raise KeyboardInterrupt",
    "time zone": "import time\ndef f(): time.tzset()",
    "no Python": "def f(:",
    "very long": "x = 1\n" * 20_000,
    "very deep": "x = " + "(" * 5000 + ")" * 5000,
    "type parameters": "def f[T](a: T): return a",
}


@pytest.mark.parametrize("name", COMPUTES)
def test_code_that_only_computes(name: str) -> None:
    compile(COMPUTES[name], name, "exec")
    assert only_computes(COMPUTES[name])


@pytest.mark.parametrize("name", DOES_MORE)
def test_code_that_may_do_more(name: str) -> None:
    assert not only_computes(DOES_MORE[name])


def test_no_attribute_that_may_be_read_leads_out_of_the_code() -> None:
    """By allowed names alone nothing that such code can hold gives it a frame, code, a module or a changeable global."""

    def function() -> None: ...

    def generator() -> Any:
        yield 1

    running = generator()
    next(running)
    names = computing._ATTRIBUTES.union(*computing._MODULES.values())
    held: list[Any] = [function, running, ValueError("x"), print, iter([]), map(str, []), *computing._DATA]
    modules = [importlib.import_module(name) for name in computing._MODULES]
    held += [getattr(module, name) for module in modules for name in names if hasattr(module, name)]
    held += [importlib.import_module("re").compile("a"), importlib.import_module("re").match("a", "a")]
    namespaces = [id(vars(module)) for module in modules] + [id(function.__globals__)]
    for thing in (*held, *modules):
        for name in names:
            try:
                value = getattr(thing, name, None)
            except Exception:
                continue
            assert not isinstance(value, (FrameType, CodeType, ModuleType)), (thing, name)
            assert id(value) not in namespaces, (thing, name)
            assert not (thing in modules and isinstance(value, (dict, list, set))), (thing, name)


class ChangesThePlace:
    def __reduce__(self) -> Any:
        import os

        return os.chdir, ("/usr",)


@pytest.mark.parametrize("code", ["def f(): return '\\d'", "def f(): return [0x1for x in [1]]"])
def test_a_warning_is_shown_once(runner: RunnerHandle, code: str) -> None:
    runner.run(code)
    # Python 3.12 and later show it.
    assert runner.printed().count("Warning") <= 1


def test_arguments_that_run_code_are_no_plain_data(runner: RunnerHandle) -> None:
    plain = "def f(a):\n    return 1"
    where = "import os\ndef f(): return os.getcwd()"
    before = runner.value(where)
    for value in (ChangesThePlace(), [1, {"a": (ChangesThePlace(),)}]):
        frame = runner.run(plain, args=[encode(value)], serialization_format="cloudpickle")
        assert frame.flags & 1, frame.header
        assert runner.value(where) == before


def test_plain_arguments_of_every_kind_arrive(runner: RunnerHandle) -> None:
    values = [
        None,
        True,
        -7,
        2**70,
        1.5,
        2j,
        "text",
        b"bytes",
        bytearray(b"b"),
        [1, [2]],
        {"a": {1}},
        (1, "x"),
        frozenset({3}),
        "x" * 9000,
    ]
    frame = runner.run(
        "def f(*args):\n    return [repr(a) for a in args]",
        args=[encode(value) for value in values],
        serialization_format="cloudpickle",
    )
    assert pickle.loads(base64.b64decode(frame.body)) == [repr(value) for value in values]


def test_a_broken_argument_is_named(runner: RunnerHandle) -> None:
    error = runner.error(
        "def f(a):\n    return 1", args=[base64.b64encode(b"\x80\x05nonsense").decode()], serialization_format="cloudpickle"
    )
    assert error.startswith("args[0] could not be unpickled")


def test_modules_of_the_request_may_stand_for_those_of_the_library(runner: RunnerHandle) -> None:
    code = "import json\ndef f():\n    return json.dumps(1)"
    modules = {"json/__init__.py": "import os\ndef dumps(a):\n    os.umask(0o777)\n    return 'theirs'"}
    umask = "import os\ndef f():\n    now = os.umask(0o022)\n    os.umask(now)\n    return now"
    before = runner.value(umask)
    runner.run(code, modules=modules)
    assert runner.value(umask) == before


def test_the_search_path_does_not_grow(runner: RunnerHandle) -> None:
    look = "import sys\ndef f(): return [p for p in sys.path if 'live' in p]"
    for number in range(20):
        assert runner.value(f"def f(): return {number % 5}") == number % 5
    assert len(runner.value(look)) == 1


def test_what_ran_before_is_put_back_also_when_the_next_only_computes(runner: RunnerHandle) -> None:
    runner.run("import os, sys\ndef f():\n    os.close(1)\n    sys.stdout = None")
    assert runner.value("def f():\n    print('seen')\n    return 1") == 1
    runner.value("def f():\n    print('again')\n    return 2")
    assert runner.printed() == "seen\nagain\n"
