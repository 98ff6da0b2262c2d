"""What programs set in ``logging``: levels, handlers, what is disabled."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from ..kind import Kind

_manager, _root = logging.root.manager, logging.root
_Setting = tuple[int, bool, bool, tuple[Any, ...], tuple[Any, ...]]
# The setting of a logger that was just made.
_NEW: _Setting = (logging.NOTSET, False, True, (), ())


class _Loggers(NamedTuple):
    disabled: int
    factories: tuple[Any, ...]
    root: _Setting
    root_handlers: tuple[Any, ...]
    named: dict[str, _Setting]


class Loggers(Kind):
    """A logger that a request has made stays, as libraries hold it, but is as it was made."""

    title = "`logging`: `disable`, levels, handlers, filters, propagation and `disabled` of every logger, factories"

    def read(self) -> _Loggers:
        # The dictionary also has placeholders, for parents of loggers that nothing has asked for.
        named = {
            name: _setting(logger) for name, logger in _manager.loggerDict.items() if isinstance(logger, logging.Logger)
        }
        return _Loggers(_manager.disable, _factories(), _setting(_root), _of_root_handlers(), named)

    def same(self, one: _Loggers, other: _Loggers) -> bool:
        return one == other

    def restore(self, value: _Loggers) -> None:
        disabled, factories, root, root_handlers, named = self.read()
        if (
            disabled == value.disabled
            and root == value.root
            and root_handlers == value.root_handlers
            and factories == value.factories
        ):
            known = value.named
            if named == known or all(setting == known.get(name, _NEW) for name, setting in named.items()):
                return
        self.write(value)

    def write(self, value: _Loggers) -> None:
        _manager.disable = value.disabled
        logging.setLoggerClass(value.factories[0])
        logging.setLogRecordFactory(value.factories[1])
        logging.raiseExceptions, logging.lastResort = value.factories[2:]
        _set(_root, value.root)
        for handler, level, formatter, filters in value.root_handlers:
            handler.level, handler.formatter = level, formatter
            handler.filters[:] = filters
        for name, logger in _manager.loggerDict.items():
            if isinstance(logger, logging.Logger):
                _set(logger, value.named.get(name, _NEW))

    def after_import(self, kept: _Loggers, before: _Loggers, after: _Loggers) -> _Loggers:
        changed = {name: setting for name, setting in after.named.items() if before.named.get(name, _NEW) != setting}
        return _Loggers(
            after.disabled if kept.disabled == before.disabled else kept.disabled,
            after.factories if kept.factories == before.factories else kept.factories,
            after.root if kept.root == before.root else kept.root,
            after.root_handlers if kept.root_handlers == before.root_handlers else kept.root_handlers,
            {**kept.named, **changed},
        )


def _factories() -> tuple[Any, ...]:
    return logging.getLoggerClass(), logging.getLogRecordFactory(), logging.raiseExceptions, logging.lastResort


def _of_root_handlers() -> tuple[Any, ...]:
    return tuple([(handler, handler.level, handler.formatter, tuple(handler.filters)) for handler in _root.handlers])


def _setting(logger: logging.Logger) -> _Setting:
    return logger.level, logger.disabled, logger.propagate, tuple(logger.handlers), tuple(logger.filters)


def _set(logger: logging.Logger, setting: _Setting) -> None:
    level, disabled, propagate, handlers, filters = setting
    if logger.level != level:
        logger.setLevel(level)
    logger.disabled, logger.propagate = disabled, propagate
    logger.handlers[:] = handlers
    logger.filters[:] = filters


KIND = Loggers()
