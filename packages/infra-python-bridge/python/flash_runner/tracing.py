"""Where in a trace the running request is, for user code::

    from flash_runner import tracing

    requests.post(url, headers=tracing.carrier())

It goes on with OpenTelemetry the same way: ``TraceContextTextMapPropagator().extract(tracing.carrier())``.
"""

from __future__ import annotations

import os
import threading

from .output.route import Route, current_route

_drawing = threading.Lock()


def carrier() -> dict[str, str]:
    """Headers that name the running request as their parent, as W3C Trace Context has them.

    Returns:
        ``traceparent``, and ``tracestate`` when there is one; empty outside of a request and where there is no trace.
    """
    route = current_route()
    if route is None:
        return {}
    if route.unrecorded:
        _draw(route)
    if route.traceparent is None:
        return {}
    state = {} if route.tracestate is None else {"tracestate": route.tracestate}
    return {"traceparent": route.traceparent, **state}


def traceparent() -> str | None:
    """The header ``traceparent`` alone; ``None`` where there is no trace."""
    return carrier().get("traceparent")


def _draw(route: Route) -> None:
    """Give the request its place in a trace that is not recorded. Threads of the request all get the same."""
    with _drawing:
        if route.traceparent is None:
            # The standard forbids ids of zeros alone.
            trace, span = (os.urandom(size) + b"\1" for size in (15, 7))
            route.traceparent = f"00-{trace.hex()}-{span.hex()}-00"
