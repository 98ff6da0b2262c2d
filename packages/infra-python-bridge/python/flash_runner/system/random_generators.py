"""Generators of random numbers that a whole process shares, seeded anew by the system.

A forked process has its parent's generators: without this all runners of one zygote draw the same numbers. ``random``
seeds its own after a fork; generators of its kind that libraries have made at their import don't.
"""

from __future__ import annotations

import gc
import os
import sys
import weakref
from typing import Any

_urandom = os.urandom
_found: list[weakref.ref[Any]] = []
_SEED_BYTES = 32


def find() -> None:
    """Remember the generators that libraries have made. A zygote calls it after its imports, as it looks at every object."""
    kinds = tuple(filter(None, (_attribute("random", "Random"), _attribute("numpy.random", "Generator"))))
    kinds += tuple(filter(None, (_attribute("numpy.random", "RandomState"),)))
    _found.clear()
    for thing in gc.get_objects():
        if kinds and issubclass(type(thing), kinds):
            try:
                _found.append(weakref.ref(thing))
            except TypeError:
                continue


def after_fork() -> None:
    """Seed every generator that this process has from its parent."""
    for reference in _found:
        generator = reference()
        if generator is not None:
            _seed(generator)
    reseed()


def reseed() -> None:
    """Seed the generators behind the functions of ``random``, ``numpy.random`` and ``torch``, where they are loaded."""
    shared = _attribute("random", "_inst")
    if shared is not None:
        # As ``seed()`` without a number, which takes ten times as many random bytes. Always: of a state that a request has
        # put back itself the next one would draw the same numbers again.
        shared.seed(int.from_bytes(_urandom(_SEED_BYTES), "little"))
    numpy_seed = _attribute("numpy.random", "seed")
    if numpy_seed is not None:
        numpy_seed()
    torch_seed = _attribute("torch", "seed")
    if torch_seed is not None:
        torch_seed()


def _seed(generator: Any) -> None:
    if hasattr(generator, "bit_generator"):
        generator.bit_generator.state = type(generator.bit_generator)().state
    else:
        generator.seed()


def _attribute(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)
