"""Which user the process is, and what it sees as the root of the file system."""

from __future__ import annotations

import os
from typing import Any

from ..kind import Irreversible, Kind

_users: Any = getattr(os, "getresuid", lambda: (os.getuid(), os.geteuid()))
_groups_of_process: Any = getattr(os, "getresgid", lambda: (os.getgid(), os.getegid()))
_groups, _stat = os.getgroups, os.stat


class Identity(Kind):
    title = "user, group, groups, root directory (never restored: the runner ends)"

    def read(self) -> tuple[Any, ...]:
        root = _stat("/")
        return _users(), _groups_of_process(), _groups(), root.st_dev, root.st_ino

    def write(self, value: tuple[Any, ...]) -> None:
        what = ("user", "group", "groups", "root directory", "root directory")
        changed = [name for name, now, kept in zip(what, self.read(), value, strict=True) if now != kept]
        raise Irreversible(f"the process's {' and '.join(dict.fromkeys(changed))} changed")


KIND = Identity()
