"""One request never shows in the next: what a request changes of the process, the next one finds as in a new process."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import RETIRE, STALE, RunnerHandle, Supervisor, started_supervisor


class Change(NamedTuple):
    """What a request does, and what a later one looks at."""

    does: str
    sees: str


RESTORED = {
    "environment": Change("os.environ['A_NEW_ONE'] = '1'; os.environ.pop('PATH', None)", "sorted(os.environ.items())"),
    "environment object": Change("os.environ = {'HOME': '/nowhere'}", "(type(os.environ).__name__, os.environ['HOME'])"),
    "environment of children": Change(
        "os.environ['A_NEW_ONE'] = '1'",
        "__import__('subprocess').run(['env'], capture_output=True).stdout.count(b'A_NEW_ONE')",
    ),
    "time zone": Change("os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()", "time.timezone"),
    "working directory": Change("os.chdir('/usr')", "os.getcwd()"),
    "removed working directory": Change("d = tempfile.mkdtemp(); os.chdir(d); os.rmdir(d)", "os.getcwd()"),
    "search path": Change("sys.path.insert(0, '/usr/games')", "'/usr/games' in sys.path"),
    "search path object": Change("sys.path = ['/usr/games']", "'/usr/games' in sys.path"),
    "finders": Change("sys.meta_path.clear()", "len(sys.meta_path) > 2"),
    "path hooks": Change("sys.path_hooks.clear()", "len(sys.path_hooks)"),
    "arguments": Change("sys.argv[:] = ['x', '--flag']", "sys.argv"),
    "arguments object": Change("sys.argv = ['x', '--flag']", "sys.argv"),
    "umask": Change("os.umask(0o777)", "os.umask(0o022)"),
    "recursion limit": Change("sys.setrecursionlimit(5000)", "sys.getrecursionlimit()"),
    "switch interval": Change("sys.setswitchinterval(1)", "sys.getswitchinterval()"),
    "digits": Change("getattr(sys, 'set_int_max_str_digits', id)(0)", "getattr(sys, 'get_int_max_str_digits', int)()"),
    "socket time-out": Change("socket.setdefaulttimeout(0.5)", "socket.getdefaulttimeout()"),
    "collector": Change(
        "gc.disable(); gc.set_threshold(1, 1, 1); gc.callbacks.append(print)",
        "(gc.isenabled(), gc.get_threshold(), len(gc.callbacks))",
    ),
    "locale": Change("locale.setlocale(locale.LC_ALL, 'C.UTF-8')", "locale.setlocale(locale.LC_ALL)"),
    "signal handler": Change("signal.signal(signal.SIGUSR1, print)", "str(signal.getsignal(signal.SIGUSR1))"),
    "interrupt handler": Change("signal.signal(signal.SIGINT, signal.SIG_IGN)", "str(signal.getsignal(signal.SIGINT))"),
    "signal mask": Change(
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])", "len(signal.pthread_sigmask(0, []))"
    ),
    "alarm": Change("signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.alarm(50)", "signal.alarm(0)"),
    "interval timer": Change("signal.setitimer(signal.ITIMER_VIRTUAL, 50, 50)", "signal.getitimer(signal.ITIMER_VIRTUAL)"),
    "wake-up descriptor": Change("signal.set_wakeup_fd(socket_pair()[0])", "signal.set_wakeup_fd(-1)"),
    "fault handler": Change("faulthandler.enable(); faulthandler.dump_traceback_later(0.3)", "faulthandler.is_enabled()"),
    "niceness": Change("os.nice(5)", "os.getpriority(os.PRIO_PROCESS, 0)"),
    "processors": Change("os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", "sorted(os.sched_getaffinity(0))"),
    "start method": Change("multiprocessing.set_start_method('spawn', force=True)", "multiprocessing.get_start_method()"),
    "event loop policy": Change(
        "asyncio.run(asyncio.sleep(0))", "asyncio.new_event_loop().close() or str(asyncio.events._event_loop_policy)[:9]"
    ),
    "trace function": Change(
        "sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)", "(sys.gettrace(), sys.getprofile())"
    ),
    "trace of threads": Change("threading.settrace(lambda *a: None)", "getattr(threading, '_trace_hook')"),
    "except hooks": Change(
        "sys.excepthook = threading.excepthook = print", "(sys.excepthook.__name__, threading.excepthook.__name__)"
    ),
    "tracebacks": Change("sys.tracebacklimit = 0", "hasattr(sys, 'tracebacklimit')"),
    "standard input": Change("sys.stdin = io.StringIO('x')", "sys.stdin.read()"),
    "warnings": Change("warnings.simplefilter('ignore')", "len(warnings.filters)"),
    "warnings object": Change("warnings.filters = []", "len(warnings.filters)"),
    "how warnings are shown": Change("warnings.showwarning = print", "warnings.showwarning.__module__"),
    "logging disabled": Change("logging.disable(50)", "logging.getLogger('x').isEnabledFor(40)"),
    "loggers configured": Change(
        "logging.getLogger('urllib3.pool'); logging.config.dictConfig({'version': 1})",
        "logging.getLogger('urllib3.pool').disabled",
    ),
    "logger of the request": Change(
        "logger = logging.getLogger('mine'); logger.setLevel(50); logger.addHandler(logging.NullHandler()); logger.propagate = False",
        "(logging.getLogger('mine').level, logging.getLogger('mine').handlers, logging.getLogger('mine').propagate)",
    ),
    "root logger": Change("logging.basicConfig(level=10, force=True)", "(logging.root.level, len(logging.root.handlers))"),
    "decimal": Change("decimal.getcontext().prec = 3", "str(decimal.Decimal(1) / 3)"),
    "decimal default": Change(
        "decimal.DefaultContext.prec = 3; decimal.setcontext(decimal.DefaultContext)", "str(decimal.Decimal(1) / 3)"
    ),
    "resource limit": Change(
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))",
        "resource.getrlimit(resource.RLIMIT_NOFILE)",
    ),
    "context variable": Change("VARIABLES.v.set('theirs')", "VARIABLES.v.get('none')"),
    "own module": Change("sys.modules['made_by_hand'] = os", "'made_by_hand' in sys.modules"),
    "removed module": Change("del sys.modules['string']", "__import__('string') is STRING"),
    "seeded random": Change("random.seed(7)", "random.random() == random.Random(7).random()"),
    "printing stream": Change("sys.stdout = io.TextIOWrapper(sys.stdout.buffer)", "print(end='') or sys.stdout.closed"),
    "closed stream": Change("sys.stdout.close()", "print(end='') or sys.stdout.closed"),
    "encoding": Change("sys.stdout.reconfigure(encoding='ascii', errors='strict')", "(sys.stdout.encoding, print(end=''))"),
}
"""Every kind of state, with a change and a look at it."""

IMPORTS = (
    "import asyncio, decimal, faulthandler, gc, io, locale, logging, logging.config, multiprocessing, os, random, resource\n"
    "import signal, socket, string as STRING, sys, tempfile, threading, time, warnings, contextvars\n"
    "import logging.handlers as VARIABLES\n"
    # A context variable that outlives the request's module, as a library's does.
    "VARIABLES.v = vars(VARIABLES).get('v') or contextvars.ContextVar('v')\n"
    "def socket_pair():\n"
    "    a, b = socket.socketpair(); a.setblocking(False); b.setblocking(False); return a.detach(), b.detach()\n"
)


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def code(does: str, sees: str = "None") -> str:
    return f"{IMPORTS}def f():\n    {does}\n    return {sees}"


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


def test_memory_of_requests_is_collected(runner: RunnerHandle) -> None:
    held = "data = [bytes(1000) for _ in range(20_000)]\ndef f():\n"
    size = " return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
    first = runner.value(held + size)
    for _ in range(30):
        last = runner.value(held + size)
    assert last < first + 100_000_000


def test_memory_that_stays_retires_the_runner(supervisor: Supervisor) -> None:
    runner = supervisor.fork(max_bytes_left=50_000_000)
    runner.run("import logging\nlogging.kept = bytes(1)\ndef f(): logging.kept = bytearray(80_000_000)")
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
