"""Where the runner's own descriptors are."""

from __future__ import annotations

import fcntl

# High enough to be out of the way of programs that count descriptors from 3, below the usual soft limit of 1024.
_LOWEST_FD = 200


def out_of_the_way(fd: int) -> int:
    """A high, close-on-exec copy of a descriptor."""
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LOWEST_FD)
    except OSError:
        # The process may be bound to fewer descriptors.
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 0)
