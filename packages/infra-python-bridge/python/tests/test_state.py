"""One request never shows in the next: what a request changes of the process, the next one finds as in a new process."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from conftest import RETIRE, STALE, RunnerHandle, Supervisor, started_supervisor
from state_changes import IMPORTS, RESTORED, code


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def shared():
    with started_supervisor() as supervisor:
        yield supervisor


@pytest.mark.parametrize("name", RESTORED)
def test_a_change_is_gone_for_the_next_request(shared: Supervisor, name: str) -> None:
    does, sees = RESTORED[name]
    fresh, used = shared.fork(), shared.fork()
    expected = fresh.value(code("pass", sees))
    changed = used.run(code(does))
    assert changed.flags & 1, changed.header
    assert used.value(code("pass", sees)) == expected
    assert not [frame for frame in used.frames if frame.kind == RETIRE]
    shared.kill(shared.count - 1)
    shared.kill(shared.count - 2)


RETIRED = {
    "threads": ("threads", "threading.Thread(target=time.sleep, args=(1,), daemon=True).start()", "1 thread"),
    "executor": (
        "threads",
        "globals().update(e=__import__('concurrent.futures').futures.ThreadPoolExecutor()); e.submit(time.sleep, 1)",
        "",
    ),
    "children": ("children", "__import__('subprocess').Popen(['sleep', '9'])", "sleep"),
    "daemons": ("children", "__import__('subprocess').Popen(['setsid', 'sleep', '9'])", "sleep"),
    "descriptors": ("descriptors", "[os.open('/dev/null', 0) for _ in range(40)]", "descriptors open"),
    "limit": ("state", "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.setresuid(65534, 65534, 65534)", "user"),
    "user": ("state", "os.setresgid(65534, 65534, 0)", "group"),
    "root": ("state", "os.chroot('/usr')", "root directory"),
    "patched encoder": ("patches", "__import__('json').dumps = lambda *a, **k: '\"H\"'", "json.dumps was replaced"),
    "patched builtin": ("patches", "__import__('builtins').len = lambda _x: 0", "builtins.len was replaced"),
    "patched clock": ("patches", "time.time = lambda: 0", "time.time was replaced"),
    "patched library": (
        "patches",
        "string_module = __import__('textwrap'); string_module.dedent = len",
        "textwrap.dedent was replaced",
    ),
    "patched method": ("patches", "random.randint = lambda *_: 4", "random.randint was replaced"),
    "module in the table": ("patches", "sys.modules.update(uuid=os)", "module uuid was replaced"),
    "privileges": ("state", "__import__('ctypes').CDLL(None).prctl(38, 1, 0, 0, 0)", "no_new_privs"),
    "mock": ("patches", "__import__('unittest.mock').mock.patch('shutil.rmtree').start()", "shutil.rmtree was replaced"),
    "module": ("patches", "sys.modules['json'] = os", "module of the standard library was replaced"),
}


@pytest.mark.parametrize("name", RETIRED)
def test_what_can_not_be_undone_retires_the_runner(name: str) -> None:
    kind, does, reason = RETIRED[name]
    if kind == "state" and os.getuid() != 0:
        pytest.skip("only root can change that")
    with started_supervisor() as supervisor:
        runner = supervisor.fork(max_descriptors_left=20)
        runner.run(code(does))
        retirement = runner.retirement()
        assert retirement["kind"] == kind, retirement
        assert reason in retirement["reason"]


def test_a_state_of_random_that_was_put_back_is_not_drawn_from_again(runner: RunnerHandle) -> None:
    first = runner.value(
        "import random\ndef f():\n state = random.getstate(); n = random.random(); random.setstate(state); return n"
    )
    assert runner.value("import random\ndef f(): return random.random()") != first


def test_a_setting_made_by_the_request_that_imports_the_library_is_gone(runner: RunnerHandle) -> None:
    code = "import colorsys, colorsys as library, quopri\ndef f():\n "
    assert runner.value(code + "colorsys.ONE_THIRD = quopri.ESCAPE = 9; return 1") == 1
    assert runner.value(code + "return [library.ONE_THIRD, quopri.ESCAPE == 9]") == [1 / 3, False]
    assert not [frame for frame in runner.frames if frame.kind == RETIRE]


def test_finalizers_of_a_request_run_before_the_next(runner: RunnerHandle) -> None:
    late = "import os\nclass C:\n def __del__(self): print('late'); os.environ['LATE'] = '1'; os.umask(0o077)\nkept = C()\ndef f(): pass"
    look = "import os\ndef f(): print('mine'); return [os.environ.get('LATE'), os.umask(0o022)]"
    before = runner.value(look)
    assert runner.run(late).flags & 1
    assert runner.value(look) == before
    assert runner.printed().endswith("late\nmine\n")


def test_an_instance_keeps_the_settings_of_libraries_that_it_made(runner: RunnerHandle) -> None:
    source = (
        "import http.client as h\nclass C:\n def __init__(self): h.HTTPConnection.debuglevel = 3\n"
        " def look(self): return h.HTTPConnection.debuglevel\n"
    )
    call = {"execution_type": "class", "class_name": "C", "class_code": source, "method_name": "look", "function_code": None}
    for _ in range(2):
        assert runner.value("", **call, header={"instance": "one", "create": False}) == 3
        assert runner.value("import http.client as h\ndef f(): return h.HTTPConnection.debuglevel") == 0


def test_memory_of_requests_is_collected(runner: RunnerHandle) -> None:
    held = "data = [bytes(1000) for _ in range(20_000)]\ndef f():\n"
    size = " return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
    first = runner.value(held + size)
    for _ in range(30):
        last = runner.value(held + size)
    assert last < first + 100_000_000


def test_memory_that_stays_retires_the_runner(supervisor: Supervisor) -> None:
    runner = supervisor.fork(max_bytes_left=50_000_000)
    runner.run("import atexit\ndef f(): atexit.register(bytearray(80_000_000).hex)")
    assert runner.retirement()["kind"] == "memory"


def test_random_sequences_of_changes_leave_no_trace(supervisor: Supervisor) -> None:
    """``FLASH_TEST_CHANGES``: how many requests that change something; ``FLASH_TEST_SEED``: which."""
    drawn = random.Random(os.environ.get("FLASH_TEST_SEED", "1"))
    looks = ", ".join(change.sees for name, change in RESTORED.items() if name != "removed working directory")
    look = f"{IMPORTS}def f():\n    return [str(value) for value in ({looks},)]"
    used = supervisor.fork()
    used.run("def f(): pass")
    expected = supervisor.fork().value(look)
    resident = resident_bytes(used.pid)
    for _ in range(int(os.environ.get("FLASH_TEST_CHANGES", "200")) // 10):
        for name in drawn.choices(list(RESTORED), k=10):
            used.run(code(RESTORED[name].does))
        assert used.value(look) == expected
    grown = resident_bytes(used.pid) - resident
    print(f"resident memory: {resident} bytes before, {grown} more at the end")
    assert grown < 64 * 1024 * 1024


LIBRARY = """
import contextvars, logging, os, sys, types, warnings
os.environ["OF_THE_LIBRARY"] = "1"
warnings.filterwarnings("ignore", message="of the library")
logging.getLogger("flash_library").addHandler(logging.NullHandler())
class Finder:
    def find_spec(self, name, path, target=None): return None
sys.meta_path.append(Finder())
sys.modules["flash_library.made"] = types.ModuleType("flash_library.made")
"""


def test_libraries_keep_what_their_import_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "flash_library.py").write_text(LIBRARY)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    look = (
        "import logging, os, sys, warnings, flash_library\ndef f():\n"
        " return [os.environ.get('OF_THE_LIBRARY'), any('Finder' in repr(f) for f in sys.meta_path),"
        " any('of the library' in str(f) for f in warnings.filters), len(logging.getLogger('flash_library').handlers),"
        " 'flash_library.made' in sys.modules]"
    )
    with started_supervisor() as supervisor:
        runner = supervisor.fork()
        for _ in range(3):
            assert runner.value(look) == ["1", True, True, 1, True]
        # Changes of the request itself are put back, also those made before the import.
        changes = "import os, warnings\nos.environ['MINE'] = '1'\nwarnings.simplefilter('error')\nimport flash_library\ndef f(): pass"
        second = supervisor.fork()
        assert second.run(changes).flags & 1
        assert second.value("import os, warnings\ndef f(): return [os.environ.get('MINE'), warnings.filters[0][0]]") != [
            "1",
            "error",
        ]
        assert second.value(look) == ["1", True, True, 1, True]


def test_own_modules_are_imported_anew(runner: RunnerHandle, tmp_path: Path) -> None:
    use = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\ndef f():\n import flash_own\n flash_own.n += 1\n return flash_own.n"
    (tmp_path / "flash_own.py").write_text("n = 0\n")
    assert runner.value(use) == 1
    assert runner.value(use) == 1
    local = {"modules": {"flash_local.py": "n = 0\n"}}
    code = "import flash_local\ndef f():\n flash_local.n += 1\n return flash_local.n"
    assert runner.value(code, **local) == 1
    assert runner.value(code, **local) == 1


def test_instances_keep_what_they_did_and_others_do_not_see_it(runner: RunnerHandle) -> None:
    source = (
        "import os, contextvars\nv = contextvars.ContextVar('v', default=0)\nclass C:\n def __init__(self):\n"
        "  os.environ['OF_C'] = '1'; os.chdir('/usr'); v.set(1)\n"
        " def look(self): return [os.environ.get('OF_C'), os.getcwd(), v.get()]\n"
    )
    call = {"execution_type": "class", "class_name": "C", "class_code": source, "method_name": "look", "function_code": None}
    look = "import os\ndef f(): return [os.environ.get('OF_C'), os.getcwd()]"
    for _ in range(2):
        assert runner.value("", **call, header={"instance": "one", "create": False}) == ["1", "/usr", 1]
        assert runner.value(look) != ["1", "/usr"]
        other = {**call, "class_code": source.replace("os.environ['OF_C'] = '1'; ", "")}
        assert runner.value("", **other, header={"instance": "two", "create": False}) == [None, "/usr", 1]


def test_an_instance_with_a_thread_has_its_process_to_itself(runner: RunnerHandle) -> None:
    source = (
        "import threading, time\nclass C:\n def __init__(self):\n"
        "  threading.Thread(target=time.sleep, args=(30,), daemon=True, name='its own').start()\n"
        " def look(self): return 1\n"
    )
    call = {"execution_type": "class", "class_name": "C", "class_code": source, "method_name": "look", "function_code": None}
    instance = {"instance": "one", "create": False}
    assert runner.value("", **call, header=instance) == 1
    number = runner.send({"function_name": "f", "function_code": "def f(): pass", "serialization_format": "json"})
    assert runner.receive(STALE).request == number
    assert "an instance has the process to itself: it left 1 thread running: its own" in runner.retirement()["reason"]
    assert runner.value("", **call, header=instance) == 1
