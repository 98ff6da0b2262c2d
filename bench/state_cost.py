"""What each kind of process state, and each check, costs after a function request that has changed nothing: µs, best of many."""

from __future__ import annotations

import asyncio  # noqa: F401 - a runner has imported all of these
import random  # noqa: F401
import time
from collections.abc import Callable

import flash_runner.runner.runner  # noqa: F401
from flash_runner.state.check import Bounds
from flash_runner.state.process_state import ProcessState, load_checks, load_kinds

CALLS, ROUNDS = 20, 300
BOUNDS = Bounds(1 << 28, 256)


def best(call: Callable[[], object]) -> float:
    """The fastest round's time of one call, in µs."""

    def round_of_calls() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            call()
        return (time.perf_counter() - began) / CALLS * 1e6

    return min(round_of_calls() for _ in range(ROUNDS))


costs = [
    (best(lambda kind=kind, kept=kind.read(): kind.restore(kept)), kind.title)
    for kind in load_kinds()
]
costs += [
    (best(check.left_behind), f"check: {check.name}") for check in load_checks(BOUNDS)
]
for cost, title in sorted(costs, reverse=True):
    print(f"{cost:8.2f}  {title}")
print(f"{best(ProcessState(BOUNDS).leave):8.2f}  all of them")
