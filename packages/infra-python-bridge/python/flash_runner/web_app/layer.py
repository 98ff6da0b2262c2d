"""A thin layer around the app: it answers ``/ping`` where the app does not, and reports when the app has started."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_PING = "/ping"
_NOT_FOUND = 404


class AppLayer:
    """ASGI app around an ASGI app. All but ``/ping`` goes through untouched."""

    def __init__(self, app: Asgi, routes: Callable[[], Any], endpoint_id: str, started: Callable[[], Awaitable[None]]):
        """``routes`` gives the app's routes, or ``None``; ``started`` is awaited when its start-up is through."""
        self._app = app
        self._routes = routes
        self._started = started
        self._body = json.dumps({"status": "healthy", "endpoint": "lb", "id": endpoint_id}).encode()
        self.failure: str | None = None
        """What the app said when its start-up failed."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        kind = scope["type"]
        if kind == "http":
            if scope["path"] != _PING or scope["method"] not in ("GET", "HEAD"):
                return self._app(scope, receive, send)
            return self._ping(scope, receive, send)
        if kind == "lifespan":
            return self._watch_lifespan(scope, receive, send)
        return self._app(scope, receive, send)

    async def _ping(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app's own answer; ours when it has no such route, or knows nothing of it."""
        if not may_match(self._routes(), scope):
            await self._answer(send)
            return
        is_unknown = False

        async def unless_unknown(message: Message) -> None:
            nonlocal is_unknown
            if message["type"] == "http.response.start":
                is_unknown = message["status"] == _NOT_FOUND
            if not is_unknown:
                await send(message)

        await self._app(scope, receive, unless_unknown)
        if is_unknown:
            await self._answer(send)

    async def _answer(self, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})

    async def _watch_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = False

        async def watched(message: Message) -> None:
            nonlocal told
            if message["type"] == "lifespan.startup.failed":
                self.failure = message.get("message") or "its start-up failed"
            elif message["type"] == "lifespan.startup.complete" and not told:
                told = True
                await self._started()
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BaseException:
            # An app without a lifespan fails here; it is served all the same, as uvicorn does.
            if not told and self.failure is None:
                await self._started()
            raise
        if not told and self.failure is None:
            await self._started()


def may_match(routes: Any, scope: Scope) -> bool:
    """Whether one of a Starlette app's routes may take the request; ``True`` for an app that shows no routes."""
    if routes is None:
        return True
    for route in routes:
        try:
            match, _ = route.matches({**scope, "path_params": {}})
        except Exception:
            return True
        if match.value > 0:
            return True
    return False
