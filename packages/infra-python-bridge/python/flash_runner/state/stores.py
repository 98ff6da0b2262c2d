"""What a piece of code may store into, as far as its instructions and names tell without running it."""

from __future__ import annotations

import opcode
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

_OF_ATTRIBUTES = tuple(opcode.opmap[name] for name in ("STORE_ATTR", "DELETE_ATTR"))
_OF_ITEMS = tuple(opcode.opmap[name] for name in ("STORE_SUBSCR", "DELETE_SUBSCR"))
# Code that names one of these may store into whatever it names.
_STORING_NAMES = frozenset({"setattr", "delattr", "__dict__", "__setattr__", "vars", "exec", "eval", "apply", "modules"})
_LONGEST_NAME = 100


class Stores(NamedTuple):
    """Both are empty when the code stores into no attributes or items at all."""

    names: frozenset[str]
    """All that the code names: variables, attributes, modules, short texts."""
    attributes: frozenset[str]
    """The attributes it may store into."""


def stores_of(code: CodeType) -> Stores:
    """Look at code and at all the code in it."""
    names: set[str] = set()
    attributes: set[str] = set()
    stores = False
    left = [code]
    while left:
        part = left.pop()
        instructions = part.co_code[::2]
        attributes.update(_stored_attributes(part, instructions))
        stores = stores or any(item in instructions for item in _OF_ITEMS)
        names.update(part.co_names)
        for name in part.co_names:
            names.update(name.split("."))
        for constant in part.co_consts:
            if isinstance(constant, CodeType):
                left.append(constant)
            elif isinstance(constant, str) and len(constant) <= _LONGEST_NAME:
                names.update(constant.split("."))
    if not _STORING_NAMES.isdisjoint(names) or any(
        "patch" in name or "monkey" in name or "inject" in name for name in names
    ):
        return Stores(frozenset(names), frozenset(names))
    if stores or attributes or "mock" in names:
        return Stores(frozenset(names), frozenset(attributes))
    return Stores(frozenset(), frozenset())


def _stored_attributes(code: CodeType, instructions: bytes) -> Iterator[str]:
    for instruction in _OF_ATTRIBUTES:
        place = instructions.find(instruction)
        while place >= 0:
            number, extension = code.co_code[2 * place + 1], place
            while extension > 0 and instructions[extension - 1] == opcode.EXTENDED_ARG:
                extension -= 1
                number += code.co_code[2 * extension + 1] << (8 * (place - extension))
            yield code.co_names[number]
            place = instructions.find(instruction, place + 1)
