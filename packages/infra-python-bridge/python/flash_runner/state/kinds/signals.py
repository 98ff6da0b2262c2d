"""Signal handlers, the mask of blocked signals, timers that send signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..kind import Kind, identical, loaded

if TYPE_CHECKING:
    import signal as _signal
else:
    # The C module gives plain numbers; the enumerations of ``signal`` take ten times as long.
    import _signal

_get, _set, _mask = _signal.getsignal, _signal.signal, _signal.pthread_sigmask
_set_timer, _wakeup = _signal.setitimer, _signal.set_wakeup_fd
_TIMERS = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)
_BLOCK = _signal.SIG_BLOCK
# The system refuses handlers for these two; signals of the C library's own are not among the valid ones.
_NUMBERS = tuple(number for number in sorted(_signal.valid_signals()) if number not in (_signal.SIGKILL, _signal.SIGSTOP))
# ``faulthandler.register`` refuses those that ``faulthandler.enable`` is for.
_FATAL = {_signal.SIGABRT, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL, _signal.SIGSEGV}
_REGISTRABLE = tuple(number for number in _NUMBERS if number not in _FATAL)


class _Signals(NamedTuple):
    handlers: tuple[Any, ...]
    blocked: set[int]
    wakeup: int
    has_fault_handler: bool


class Signals(Kind):
    title = "signal handlers and mask, alarms and interval timers, `faulthandler`"

    def read(self) -> _Signals:
        wakeup = _wakeup(-1)
        if wakeup != -1:
            try:
                _wakeup(wakeup)
            except (OSError, ValueError):
                # It was closed meanwhile.
                wakeup = -1
        return _Signals(
            tuple(map(_get, _NUMBERS)),
            _mask(_BLOCK, ()),
            wakeup,
            _has_fault_handler(),
        )

    def same(self, one: _Signals, other: _Signals) -> bool:
        return identical(one.handlers, other.handlers) and one[1:] == other[1:]

    def write(self, value: _Signals) -> None:
        for number, handler in zip(_NUMBERS, value.handlers, strict=True):
            if _get(number) is not handler and handler is not None:
                _set(number, handler)
        _wakeup(value.wakeup)
        _mask(_signal.SIG_SETMASK, value.blocked)
        if _has_fault_handler() and not value.has_fault_handler:
            loaded("faulthandler").disable()

    def restore(self, value: _Signals) -> None:
        for timer in _TIMERS:
            _set_timer(timer, 0)
        fault_handler = loaded("faulthandler")
        if fault_handler is not None:
            fault_handler.cancel_dump_traceback_later()
            for number in _REGISTRABLE:
                fault_handler.unregister(number)
        super().restore(value)


def _has_fault_handler() -> bool:
    module = loaded("faulthandler")
    return module is not None and bool(module.is_enabled())


KIND = Signals()
