"""uvicorn with an app, on a port that is bound when the app's own start-up is through."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

from .config import AppConfig
from .control import Control
from .layer import AppLayer
from .port import Port


class AppServer(uvicorn.Server):
    """Serves one app until SIGTERM. The supervisor hears when it is loaded, and when it listens."""

    def __init__(self, app: Any, config: AppConfig, control: Control) -> None:
        settings = uvicorn.Config(
            app,
            log_level=config.log_level,
            access_log=config.access_log,
            use_colors=False,
            timeout_keep_alive=config.keep_alive_s,
            timeout_graceful_shutdown=config.drain_s,
        )
        settings.load()
        # An app may add routes while it starts.
        self._layer = AppLayer(settings.loaded_app, lambda: getattr(app, "routes", None), config.endpoint_id, self._bind)
        settings.loaded_app = self._layer
        super().__init__(settings)
        self._control = control
        self._place: asyncio.Future[dict[str, Any]] | None = None
        self._port: Port | None = None
        self._told: int | None = None
        self._sockets: list[socket.socket] = []

    def serve_until_told(self) -> str | None:
        """Serve until SIGTERM. Returns why the app could not be started; ``None`` when it could."""
        try:
            # uvicorn looks into the list when the app's start-up is through; the socket is there by then.
            self.run(sockets=self._sockets)
        except SystemExit:
            if self._layer.failure is None:
                raise
        return None if self.started else self._layer.failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's server, which tells the supervisor how far it is."""
        await super().startup(sockets=sockets)
        if not self._sockets:
            # The port could not be bound, and uvicorn took the failure for that of an app without a start-up.
            self.started, self.should_exit = False, True
        if self.started and not self.should_exit:
            self._control.say("listening", told=self._told)

    async def _bind(self) -> None:
        """Ask the supervisor for the port, bind it and listen. uvicorn accepts what comes next.

        The kernel is told before anything is accepted: who was answered by the app once is never answered by the supervisor
        again, as long as the app lives.
        """
        self._place = asyncio.get_running_loop().create_future()
        self._control.listen(self._hear)
        self._control.say("loaded")
        place = await self._place
        self._port = Port(ipv6=place["ipv6"])
        try:
            await self._port.bind(place["host"], place["port"], share=place["share"])
        except OSError as error:
            self._layer.failure = f"port {place['port']} can't be had: {error}"
            raise
        self._port.socket.listen(self.config.backlog)
        processes = place["steer"]
        if processes is not None and self._port.steer(processes):
            self._told = processes
        self._sockets.append(self._port.socket)

    def _hear(self, command: dict[str, Any]) -> None:
        if "place" in command and self._place is not None and not self._place.done():
            self._place.set_result(command["place"])
        if "steer" in command and self._port is not None:
            self._control.say("steered", steered=self._port.steer(command["steer"]))
