"""How decimal numbers are rounded."""

from __future__ import annotations

from typing import Any

from ..kind import Kind, loaded

_FIELDS = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
# The values of a new context, as the module defines them.
_NEW = (28, "ROUND_HALF_EVEN", -999999, 999999, 1, 0, ("InvalidOperation", "DivisionByZero", "Overflow"))


class DecimalContext(Kind):
    """The default context, and the one of the worker's own code, which requests begin with a copy of."""

    title = "contexts of `decimal`"

    def read(self) -> tuple[Any, ...]:
        module = loaded("decimal")
        if module is None:
            return _NEW, _NEW
        return _values(module.DefaultContext), _values(module.getcontext())

    def write(self, value: tuple[Any, ...]) -> None:
        module = loaded("decimal")
        if module is None:
            return
        for name, field in zip(_FIELDS, value[0], strict=False):
            setattr(module.DefaultContext, name, field)
        for signal in module.DefaultContext.traps:
            module.DefaultContext.traps[signal] = signal.__name__ in value[0][-1]
        module.DefaultContext.clear_flags()
        module.setcontext(module.DefaultContext.copy())

    def restore(self, value: tuple[Any, ...]) -> None:
        if loaded("decimal") is None:
            return
        super().restore(value)
        module = loaded("decimal")
        # Every copy of the worker's context variables shares the context object: each request gets a new one.
        module.setcontext(module.DefaultContext.copy())


def _values(context: Any) -> tuple[Any, ...]:
    trapped = tuple([signal.__name__ for signal, is_trapped in context.traps.items() if is_trapped])
    return (*[getattr(context, name) for name in _FIELDS], trapped)


KIND = DecimalContext()
