"""The zygote: imports what every runner needs, forks runners on request, and reports how they ended.

It is single-threaded and runs no user code. Its supervisor talks to it in JSON lines over descriptor 3; when that connection
closes, everything that was started ends.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypedDict

from .ahead import Ahead
from .birth import Place
from .birth import main as be_born
from .exits import exit_fields

CONTROL_FD = 3
_CRASH_STATUS = 70
# Nobody may have asked for anything so long before the zygote goes on to prepare itself, in seconds: then a start is over.
_QUIET_SECONDS = 0.25


class Options(TypedDict):
    """What the supervisor starts a zygote with."""

    directory: str
    record_imports: bool
    whole_mark: str | None
    lean: bool
    preimport: list[str]
    preimport_seconds: float
    preimport_bytes: int


class Zygote:
    """Forks and buries runners."""

    def __init__(
        self, options: Options, control: socket.socket, pending: bytes, ahead: Ahead, preimported: dict[str, Any]
    ) -> None:
        self._directory = options["directory"]
        self._records_imports = options["record_imports"]
        self._whole_mark = options["whole_mark"]
        self._ahead = ahead
        self._preimported = preimported
        self._control = control
        self._pending = pending
        self._runners: dict[int, int] = {}
        self._has_forked = False
        self._wakeup, wakeup_write = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(wakeup_write, False)
        self._wakeup_write = wakeup_write
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        """Serve until the supervisor goes away, then end every process below."""
        version = sys.version.split()[0]
        self._report({"event": "ready", "pid": os.getpid(), "python": version, "modules": _top_level(), **self._preimported})
        # What came together with the options: nothing will become readable for it.
        self._obey(b"")
        while True:
            control = self._control.fileno()
            is_waiting = self._has_forked and not self._ahead.is_done
            ready, _, _ = select.select([control, self._wakeup], [], [], _QUIET_SECONDS if is_waiting else None)
            if self._wakeup in ready:
                self._drain_wakeup()
                self._bury()
            if control in ready and not self._read_commands():
                break
            if not ready:
                # The first runner need not wait for it, and later ones share it.
                self._prepare(self._ahead.import_all)
        self._end_all()

    def _prepare(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ImportError as error:
            _fail(self._control, reason=str(error))
        gc.freeze()

    def _drain_wakeup(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wakeup, 4096):
                pass

    def _read_commands(self) -> bool:
        try:
            data = self._control.recv(65536)
        except ConnectionError:
            return False
        if not data:
            return False
        self._obey(data)
        return True

    def _obey(self, data: bytes) -> None:
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            command: dict[str, Any] = json.loads(line)
            if "fork" in command:
                self._fork(command["fork"], bytes.fromhex(command["marker"]), command["max_response_bytes"])
            elif "kill" in command:
                self._kill(command["kill"])

    def _fork(self, runner: int, marker: bytes, max_response_bytes: int) -> None:
        if self._has_forked:
            # Others are to share with each other what the first one had to import by itself.
            self._prepare(self._ahead.import_needed)
        place = Place(self._directory, runner, marker, max_response_bytes, self._records_imports, self._whole_mark)
        zygote = os.getpid()
        try:
            os.mkfifo(place.pipe(0), 0o600)
            pid = os.fork()
        except OSError as error:
            self._report({"event": "exited", "runner": runner, "code": None, "signal": None, "reason": str(error)})
            return
        if pid == 0:
            self._become_runner(lambda: be_born(place, zygote))
        if not self._has_forked:
            # After the first fork, which need not wait for what this imports, and long before any user code runs.
            from .process_control import adopt_orphans

            adopt_orphans()
            self._has_forked = True
        self._runners[pid] = runner
        self._report({"event": "forked", "runner": runner, "pid": pid})

    def _become_runner(self, main: Any) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL if number != signal.SIGPIPE else signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._control.close()
            os.close(self._wakeup)
            os.close(self._wakeup_write)
            main()
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(_CRASH_STATUS)

    def _kill(self, runner: int) -> None:
        for pid, known in self._runners.items():
            if known == runner:
                _kill_group(pid)

    def _bury(self) -> None:
        """Report runners that ended, and end what they left behind: it was handed to this process by the kernel."""
        while True:
            try:
                # The dead runner is kept until its group is gone, so that its number can't have been given away.
                state = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if state is None:
                return
            runner = self._runners.pop(state.si_pid, None)
            if runner is not None:
                _kill_group(state.si_pid)
            os.waitpid(state.si_pid, 0)
            self._kill_orphans()
            if runner is not None:
                self._report({"event": "exited", "runner": runner, **exit_fields(state)})

    def _kill_orphans(self) -> None:
        from .process_control import children

        for pid in children():
            if pid not in self._runners:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in list(self._runners):
            _kill_group(pid)
        signal.set_wakeup_fd(-1)
        while True:
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._runners.pop(pid, None)
            self._kill_orphans()

    def remove_directory(self) -> None:
        """Sockets, pipes and modules have no use any more. The supervisor does this too, unless it was killed."""
        import shutil

        shutil.rmtree(self._directory, ignore_errors=True)

    def _report(self, event: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            self._control.sendall(json.dumps(event).encode() + b"\n")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _top_level() -> list[str]:
    # cloudpickle may come only now, but a runner has it in any case.
    return sorted({name.partition(".")[0] for name in sys.modules} | {"cloudpickle"})


def _is_readable(control: socket.socket) -> bool:
    return bool(select.select([control], [], [], 0)[0])


def _fail(control: socket.socket, **why: str) -> NoReturn:
    control.sendall(json.dumps({"event": "failed", **why}).encode() + b"\n")
    sys.exit(1)


def _read_options(control: socket.socket) -> tuple[Options, bytes]:
    """Wait for the options. Return them, and what came after them."""
    data = b""
    while b"\n" not in data:
        piece = control.recv(65536)
        if not piece:
            sys.exit(0)
        data += piece
    line, _, rest = data.partition(b"\n")
    return json.loads(line), rest


def main() -> None:
    """Entry point: ``python -c "…"``, with the supervisor on descriptor 3, whose first line is the options."""
    # Whatever else the supervisor was started with is not for user code.
    os.closerange(CONTROL_FD + 1, 65536)
    control = socket.socket(fileno=CONTROL_FD)
    control.set_inheritable(False)
    supervisor = os.getppid()
    ahead = Ahead()
    missing = ""
    try:
        # It may have been started before anybody knew what for.
        ahead.continue_until(lambda: _is_readable(control))
        ahead.check()
    except ImportError as error:
        missing = str(error)
    options, pending = _read_options(control)
    if missing:
        _fail(control, reason=missing)
    preimported: dict[str, Any] = {"imported": {}, "refused": {}}
    if not options["lean"]:
        preimported = _import_all(ahead, options, control)
    gc.freeze()
    zygote = Zygote(options, control, pending, ahead, preimported)
    zygote.serve()
    if os.getppid() != supervisor:
        zygote.remove_directory()


def _import_all(ahead: Ahead, options: Options, control: socket.socket) -> dict[str, Any]:
    """Import what every runner needs, and what the supervisor wants to be there before the first one."""
    from .preimport import Contaminated, preimport

    try:
        ahead.import_needed()
        return preimport(options["preimport"], options["preimport_seconds"], options["preimport_bytes"])
    except Contaminated as error:
        _fail(control, reason=str(error), module=error.module)
    except ImportError as error:
        _fail(control, reason=str(error))
    finally:
        # Objects made so far stay out of the collector's way, so that runners share their memory.
        gc.collect()
