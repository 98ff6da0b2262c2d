"""Random numbers that a request may have made foreseeable: the generators that all code of the process shares."""

from __future__ import annotations

from typing import Any

from ...system import random_generators
from ..kind import Kind


class RandomNumbers(Kind):
    """Every function request begins with generators that were seeded by the system, as a new process has them."""

    title = "shared generators of `random`, numpy and torch: seeded anew"

    def read(self) -> Any:
        return None

    def write(self, value: Any) -> None:
        pass

    def restore(self, value: Any) -> None:
        random_generators.reseed()


KIND = RandomNumbers()
