"""Local modules that travel with a request: importable while its code is loaded and while it runs
(docs/reference/protocol.md, FunctionRequest)."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from types import ModuleType

from .failures import RequestError

_MOST_SETS = 32


class ModuleSet:
    """The modules of one request or instance, on disk, and what it has imported of them."""

    def __init__(self, directory: str, paths: list[str]) -> None:
        self._directory = directory
        self._roots = {path.split("/")[0].removesuffix(".py") for path in paths}
        self._imported: dict[str, ModuleType] = {}

    def activate(self) -> None:
        """Make the modules importable; what an instance has imported before comes back as the same objects."""
        sys.path.insert(0, self._directory)
        for name in self._own_names(list(sys.modules)):
            # A request's own module wins over an installed one of the same name, as a file beside the code would.
            if name not in self._imported:
                del sys.modules[name]
        sys.modules.update(self._imported)

    def deactivate(self) -> None:
        """Take the modules away again, so that no other request sees them."""
        if self._directory in sys.path:
            sys.path.remove(self._directory)
        for name in self._own_names(list(sys.modules)):
            self._imported[name] = sys.modules.pop(name)

    def _own_names(self, names: list[str]) -> list[str]:
        return [name for name in names if name.partition(".")[0] in self._roots]


class ModuleSets:
    """Writes each distinct set of modules to disk once; keeps the last ones used."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._written: OrderedDict[str, str] = OrderedDict()

    def get(self, modules: dict[str, str]) -> ModuleSet:
        """Write the sources to disk, unless they are there, and return a set of which nothing is imported yet."""
        # Imported here, as hashlib loads OpenSSL and only requests that bring modules need it.
        import hashlib

        digest = hashlib.sha256()
        for path in sorted(modules):
            digest.update(f"{path}\0{len(modules[path])}\0{modules[path]}".encode("utf-8", "surrogatepass"))
        key = digest.hexdigest()[:32]
        root = self._written.get(key)
        if root is None:
            root = self._written[key] = self._write(key, modules)
            if len(self._written) > _MOST_SETS:
                self._written.popitem(last=False)
        self._written.move_to_end(key)
        return ModuleSet(root, list(modules))

    def _write(self, key: str, modules: dict[str, str]) -> str:
        directory = os.path.join(self._directory, f"modules-{key}")
        root = os.path.realpath(directory)
        for path, source in modules.items():
            target = os.path.join(root, *path.split("/"))
            if os.path.commonpath([root, os.path.realpath(target)]) != root or os.path.isabs(path):
                raise RequestError(f"modules.{path}: the path leaves the module directory")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            # Other runners may write the same set now: each writes under a name of its own and renames the file at the end.
            aside = f"{target}.{os.getpid()}"
            with open(aside, "w", encoding="utf-8", errors="surrogatepass") as file:
                file.write(source)
            os.replace(aside, target)
        return root
