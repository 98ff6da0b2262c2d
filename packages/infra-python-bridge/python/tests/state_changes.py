"""Every kind of state that is put back, with a request that changes it and one that looks at it."""

from __future__ import annotations

from typing import NamedTuple


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
    "environment behind os.environ": Change(
        "os.putenv('BEHIND', '1'); os.unsetenv('HOME')",
        "sorted(line[:6] for line in __import__('subprocess').run(['env'], capture_output=True, text=True).stdout.split())",
    ),
    "methods of os.environ": Change("os.environ.get = type(os.environ).get = lambda *a: 'theirs'", "os.environ.get('NONE')"),
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
    "stack size": Change("threading.stack_size(1 << 20)", "threading.stack_size()"),
    "hooks of generators": Change(
        "sys.set_asyncgen_hooks(print, print); sys.set_coroutine_origin_tracking_depth(3); sys.setdlopenflags(257)",
        "(sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth(), sys.getdlopenflags())",
    ),
    "traced memory": Change("TRACE.start()", "TRACE.is_tracing()"),
    "monitoring": Change(
        "hasattr(sys, 'monitoring') and sys.monitoring.use_tool_id(3, 'theirs')",
        "hasattr(sys, 'monitoring') and sys.monitoring.get_tool(3)",
    ),
    "name of the process": Change("C.prctl(15, b'theirs', 0, 0, 0)", "open('/proc/self/comm').read()"),
    "adoption of orphans": Change("C.prctl(36, 0, 0, 0, 0)", "C.prctl(37, REFERENCE, 0, 0, 0) or REFERENCE._obj.value"),
    "rounding of floats": Change("getattr(ctypes.CDLL('libm.so.6'), 'fesetround')(0x800)", "1.0 / 3"),
    "names of builtins": Change("setattr(builtins, 'theirs', 1); vars(builtins)['also'] = 1", "hasattr(builtins, 'theirs')"),
    "names of builtins by gettext": Change("__import__('gettext').install('theirs')", "hasattr(builtins, '_')"),
    "names of __main__": Change("sys.modules['__main__'].theirs = 1", "hasattr(sys.modules['__main__'], 'theirs')"),
    "setting of a module": Change("tempfile.template = 'theirs'; STRING.digits = '9'", "(tempfile.template, STRING.digits)"),
    "setting of a class": Change("http.client.HTTPConnection.debuglevel = 1", "http.client.HTTPConnection.debuglevel"),
    "setting of sys": Change("sys.platform = 'theirs'; sys.theirs = 1", "(sys.platform, hasattr(sys, 'theirs'))"),
    "setting of an object": Change("json._default_encoder.indent = 3", "json.dumps([1])"),
    "temporary directory": Change("setattr(tempfile, 'tempdir', '/usr')", "tempfile.gettempdir()"),
    "csv": Change(
        "csv.field_size_limit(9); csv.register_dialect('theirs', delimiter='!')",
        "(csv.field_size_limit(), csv.list_dialects())",
    ),
    "opener": Change("urllib.request.install_opener(urllib.request.build_opener())", "urllib.request._opener"),
    "mime types": Change("mimetypes.add_type('text/theirs', '.theirs')", "mimetypes.guess_type('a.theirs')"),
    "pickling": Change("copyreg.pickle(complex, lambda c: (complex, (9, 9)))", "str(pickle.loads(pickle.dumps(1j)))"),
    "weekday": Change("calendar.setfirstweekday(6)", "calendar.firstweekday()"),
    "level names": Change("logging.addLevelName(40, 'THEIRS')", "logging.getLevelName(40)"),
    "captured warnings": Change(
        "logging.captureWarnings(True)", "logging.captureWarnings(True) or warnings.showwarning.__name__"
    ),
    "handler of the root": Change(
        "logging.root.handlers[0].setLevel(50); logging.root.handlers[0].addFilter(len)",
        "(logging.root.handlers[0].level, logging.root.handlers[0].filters)",
    ),
    "name of the thread": Change("threading.current_thread().name = 'theirs'", "threading.current_thread().name"),
    "running loop": Change(
        "asyncio.events._set_running_loop(asyncio.new_event_loop())", "asyncio.events._get_running_loop()"
    ),
    "traps": Change("decimal.DefaultContext.traps[decimal.Inexact] = True", "str(decimal.Context().divide(1, 3))"),
    "blocking output": Change(
        "os.set_blocking(1, False); os.set_inheritable(2, False)", "(os.get_blocking(1), os.get_inheritable(2))"
    ),
    "standard input's descriptor": Change("os.dup2(os.open('/etc/passwd', 0), 0)", "str(os.read(0, 9))"),
    "method of a stream": Change("sys.stdout.write = sys.stderr.flush = len", "'write' in vars(sys.stdout)"),
    "class of a stream": Change("sys.stderr.__class__ = type('T', (type(sys.stderr),), {})", "type(sys.stderr).__name__"),
    "lines of a stream": Change(
        "sys.stdout.reconfigure(newline='\\r\\n')", "sys.stdout._text.write('') or sys.stdout._reconfigured"
    ),
    "registered trace": Change("faulthandler.register(signal.SIGUSR2)", "faulthandler.unregister(signal.SIGUSR2)"),
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
    "wake-up descriptor": Change("signal.set_wakeup_fd(socket_pair()[0].fileno())", "signal.set_wakeup_fd(-1)"),
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
        "logger = logging.getLogger('mine'); logger.setLevel(50); "
        "logger.addHandler(logging.NullHandler()); logger.propagate = False",
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
    "import builtins, calendar, copyreg, csv, ctypes, http.client, json, mimetypes, pickle\n"
    "import tracemalloc as TRACE, urllib.request\n"
    "C, REFERENCE = ctypes.CDLL(None), ctypes.byref(ctypes.c_int())\n"
    "import asyncio, decimal, faulthandler, gc, io, locale, logging, logging.config, multiprocessing, os, random, resource\n"
    "import signal, socket, string as STRING, sys, tempfile, threading, time, warnings, contextvars\n"
    "import logging.handlers as VARIABLES\n"
    # A context variable that outlives the request's module, as a library's does.
    "VARIABLES.v = vars(VARIABLES).get('v') or contextvars.ContextVar('v')\n"
    "def socket_pair():\n"
    "    global pair; pair = socket.socketpair(); pair[0].setblocking(False); return pair\n"
)


def code(does: str, sees: str = "None") -> str:
    return f"{IMPORTS}def f():\n    {does}\n    return {sees}"
