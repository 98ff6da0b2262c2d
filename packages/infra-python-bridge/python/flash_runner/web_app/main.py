"""What runs in an app process, from the fork to its end."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..system import process_control
from ..user_code.deployed import load_file
from ..user_code.failures import RequestError, describe, details, note_missing_module
from .config import AppConfig
from .control import Control

if TYPE_CHECKING:
    from .server import AppServer

_FAILED_STATUS = 3


def main(config: AppConfig, connection: socket.socket, keeper: int) -> NoReturn:
    """Become the app's process: called in the child right after the fork. Never returns."""
    process_control.die_with_parent(keeper)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        cast("Any", stream).reconfigure(line_buffering=True)
    control = Control(connection)
    try:
        server = _load(config, control)
    except BaseException as error:
        control.say("failed", reason=describe(error) or type(error).__name__, missing=details(error).get("missing"))
        sys.exit(_FAILED_STATUS)
    reason = server.serve_until_told()
    if reason is None:
        sys.exit(0)
    control.say("failed", reason=reason, missing=None)
    sys.exit(_FAILED_STATUS)


def _load(config: AppConfig, control: Control) -> AppServer:
    try:
        os.chdir(os.path.dirname(config.file))
        module = load_file(config.file)
        # Imported here, so that a missing uvicorn is reported like any other package that the app needs.
        from .server import AppServer
    except ModuleNotFoundError as error:
        note_missing_module(error)
        raise
    name, file = config.variable, os.path.basename(config.file)
    app = getattr(module, name, None)
    if app is None:
        raise RequestError(f"{file} defines no '{name}': name the app in FLASH_APP_VARIABLE")
    if not callable(app):
        raise RequestError(f"'{name}' in {file} is no ASGI app but a {type(app).__name__}")
    return AppServer(app, config, control)
