"""Code that only computes. It can't change the process, so that nothing has to be put back after it.

Putting state back takes longer than a small function does. What code can reach is seen in its source: names, attributes and
imports outside of the lists below make it code like any other, as does every construct that is not listed.
"""

from __future__ import annotations

import builtins
import math
import warnings
from typing import Any

# Larger sources take longer to look at than is gained.
_MOST_CHARACTERS = 64 * 1024
_ONLY_PARSE = 0x400
"""``ast.PyCF_ONLY_AST``; the module ``ast`` takes a while to import."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONSTRUCTS = _words(
    """
    Module FunctionDef Lambda arguments arg keyword Return Delete Assign AugAssign AnnAssign For While If Raise Try
    Assert Global Nonlocal Expr Pass Break Continue ExceptHandler BoolOp And Or BinOp Add Sub Mult MatMult Div Mod Pow
    LShift RShift BitOr BitXor BitAnd FloorDiv UnaryOp Invert Not UAdd USub IfExp Dict Set ListComp SetComp DictComp
    GeneratorExp comprehension Yield YieldFrom Compare Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn Call FormattedValue
    JoinedStr Constant Attribute Subscript Starred Name List Tuple Slice NamedExpr Load Store Del Import ImportFrom
    alias
    """
)
_BUILTINS = _words(
    """
    abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float format
    frozenset hash hex id int isinstance issubclass iter len list map max min next oct ord pow print range repr
    reversed round set slice sorted str sum tuple zip Ellipsis NotImplemented ArithmeticError AssertionError
    AttributeError BaseException EOFError Exception FloatingPointError IndexError KeyError LookupError MemoryError
    NameError NotImplementedError OverflowError RecursionError RuntimeError StopIteration TimeoutError TypeError
    UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError ZeroDivisionError
    """
)
_FORBIDDEN_NAMES = frozenset(vars(builtins)) - _BUILTINS
_DATA: tuple[Any, ...] = (str, bytes, bytearray, int, float, complex, list, dict, set, frozenset, tuple, range, slice)
# Methods of plain data. None of these names leads from a function, a generator or an exception to its frame or its globals.
_ATTRIBUTES = frozenset(name for kind in _DATA for name in dir(kind) if not name.startswith("_")) | {"args"}
# What may be taken from a module, and the methods of what that returns.
_MODULES = {
    "base64": _words(
        """
        b64encode b64decode urlsafe_b64encode urlsafe_b64decode b32encode b32decode b16encode b16decode
        """
    ),
    "collections": _words(
        """
        Counter OrderedDict defaultdict deque most_common elements subtract total appendleft extendleft popleft
        rotate
        """
    ),
    "datetime": _words(
        """
        datetime date timedelta timezone utc now utcnow today fromtimestamp fromisoformat strftime strptime
        isoformat timestamp total_seconds year month day hour minute second microsecond days seconds
        microseconds weekday isoweekday astimezone
        """
    ),
    "functools": _words("reduce cache lru_cache cmp_to_key"),
    "hashlib": _words("md5 sha1 sha224 sha256 sha384 sha512 blake2b blake2s update digest hexdigest"),
    "itertools": _words(
        """
        accumulate chain combinations combinations_with_replacement compress count cycle dropwhile filterfalse
        from_iterable groupby islice pairwise permutations product repeat starmap takewhile zip_longest
        """
    ),
    "json": _words("dumps loads JSONDecodeError"),
    "math": frozenset(name for name in vars(math) if not name.startswith("_")),
    "re": _words(
        """
        compile escape findall finditer fullmatch match search split sub subn group groups groupdict start end
        span IGNORECASE MULTILINE DOTALL VERBOSE ASCII
        """
    ),
    "string": _words(
        """
        ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits punctuation whitespace
        printable
        """
    ),
    "time": _words("time time_ns sleep monotonic monotonic_ns perf_counter perf_counter_ns"),
}


def only_computes(source: str) -> bool:
    """Whether nothing in the source can change the process or reach an object that outlives the request."""
    if len(source) > _MOST_CHARACTERS:
        return False
    try:
        with warnings.catch_warnings():
            # Python warns when it compiles the source to run it.
            warnings.simplefilter("ignore")
            left: list[Any] = [compile(source, "<source>", "exec", _ONLY_PARSE, dont_inherit=True)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    attributes = set(_ATTRIBUTES)
    used: set[str] = set()
    while left:
        node = left.pop()
        construct = type(node).__name__
        if construct not in _CONSTRUCTS:
            return False
        if construct == "Attribute":
            if type(node.ctx).__name__ != "Load":
                return False
            used.add(node.attr)
        elif construct == "Import":
            if not all([_takes_module(alias, attributes) for alias in node.names]):
                return False
        elif construct == "ImportFrom":
            if node.level or not _takes_names(node.module, node.names, attributes):
                return False
        elif not all([_is_harmless(name) for name in _names_of(construct, node)]):
            return False
        if construct == "comprehension" and node.is_async:
            return False
        for field in node._fields:
            value = getattr(node, field, None)
            left.extend([one for one in (value if isinstance(value, list) else [value]) if hasattr(one, "_fields")])
    return used <= attributes


def _takes_module(alias: Any, attributes: set[str]) -> bool:
    known = _MODULES.get(alias.name)
    attributes.update(known or ())
    return known is not None and _is_harmless(alias.asname or alias.name)


def _takes_names(module: str | None, names: list[Any], attributes: set[str]) -> bool:
    known = _MODULES.get(module or "")
    attributes.update(known or ())
    return known is not None and all([alias.name in known and _is_harmless(alias.asname or alias.name) for alias in names])


def _names_of(construct: str, node: Any) -> list[str]:
    """Names that the construct reads or binds in a namespace."""
    if construct == "Name":
        return [node.id]
    if construct in ("FunctionDef", "ExceptHandler"):
        return [node.name] if node.name else []
    if construct in ("Global", "Nonlocal"):
        return list(node.names)
    return [node.arg] if construct == "arg" else []


def _is_harmless(name: str) -> bool:
    return name not in _FORBIDDEN_NAMES and (name == "_" or not name.startswith("_"))
