"""The pipe that carries what user code writes to descriptors 1 and 2."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from ..system.descriptors import out_of_the_way

# User code may replace these in their modules.
_fstat, _dup2, _open, _close, _write = os.fstat, os.dup2, os.open, os.close, os.write
_ioctl, _unpack = fcntl.ioctl, struct.unpack


class OutputPipe:
    """The named pipe behind descriptors 1 and 2 of a runner, read by the supervisor."""

    def __init__(self, path: str, end_mark: bytes) -> None:
        self._end_mark = end_mark
        self._null = os.stat(os.devnull).st_rdev
        self.switch(path)

    def switch(self, path: str) -> None:
        """Open the pipe and use it from now on; children that run already keep the descriptors they have."""
        # Opened for reading too, so that opening does not wait for the supervisor.
        fd = _open(path, os.O_RDWR | os.O_CLOEXEC)
        self._fd = out_of_the_way(fd)
        _close(fd)
        self._path = path
        self._inode = _fstat(self._fd).st_ino
        self.attach()

    def attach(self) -> None:
        """Put the pipe on descriptors 1 and 2."""
        _dup2(self._fd, 1)
        _dup2(self._fd, 2)

    def ensure_attached(self) -> None:
        """Repair what user code did to the standard descriptors: closed them, or pointed them elsewhere."""
        try:
            if _fstat(0).st_rdev == self._null and _fstat(1).st_ino == self._inode and _fstat(2).st_ino == self._inode:
                return
        except OSError:
            pass
        try:
            if _fstat(self._fd).st_ino != self._inode:
                raise OSError
        except OSError:
            self.switch(self._path)
        null = _open(os.devnull, os.O_RDONLY)
        if null != 0:
            _dup2(null, 0)
            _close(null)
        self.attach()

    def mark_end(self) -> bool:
        """Put an end mark into the pipe, unless the supervisor has read everything already. True when it did.

        Without unread bytes there is nothing the supervisor could still mistake for the next request's output, and a
        request that printed nothing costs no pipe traffic.
        """
        try:
            unread = _unpack("i", _ioctl(self._fd, termios.FIONREAD, b"\0\0\0\0"))[0]
            if unread == 0:
                return False
            _write(self._fd, self._end_mark)
            return True
        except OSError:
            return False
