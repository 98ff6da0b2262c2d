"""What a runner's process does from its fork on."""

from __future__ import annotations

from typing import NoReturn

from ..system import process_control, random_generators
from ..user_code import sources
from .config import RunnerConfig
from .runner import Runner

# Enough for the copies that a 10 MiB argument goes through: text, decoded, unpickled, and the result the same way back.
_KEPT_BYTES = 128 * 1024 * 1024


def main(config: RunnerConfig, data: int, control: int, zygote: int) -> NoReturn:
    """Serve until the supervisor goes away. Never returns.

    ``data`` and ``control`` are descriptors of the two connections to it.
    """
    process_control.die_with_parent(zygote)
    if config.reuses:
        # The zygote ends what one that serves a single request leaves behind.
        process_control.adopt_orphans()
        process_control.keep_freed_memory(_KEPT_BYTES)
    random_generators.after_fork()
    sources.prepare()
    runner = Runner(config, data, control)
    if not config.reuses:
        runner.rehearse()
    runner.serve()
