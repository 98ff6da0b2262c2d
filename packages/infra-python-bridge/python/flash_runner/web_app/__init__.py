"""Serves a user's ASGI app with uvicorn, in a process of its own
(docs/reference/protocol.md, Modes and Load-balancer entry).

The keeper is the supervisor's child; it forks the app's process and cleans up after it. It loads the app, binds the port
itself and talks to the supervisor in JSON lines.
"""
