"""Runs user code in forked processes on behalf of a supervisor that never loads a pickle itself.

The zygote imports what every run needs and only forks; each runner serves requests that arrive as frames. Nothing in here
knows of queues, HTTP, manifests or caches.
"""
