"""What runners need, imported by the zygote while no request waits for it.

The first runner is forked when it is asked for, and imports by itself what is not there yet; later ones share all of it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Imported one after the other, so that a command of the supervisor waits for one of them and not for all. Those of the
# standard library would come with the others: they are named because each takes long.
NEEDED = (
    "traceback",
    "logging",
    "inspect",
    "pickle",
    "uuid",
    "cloudpickle",
    "flash_runner.user_code.invoke",
    "flash_runner.state.process_state",
    "flash_runner.runner.main",
)
# Modules that only some requests need.
RARELY_NEEDED = ("asyncio",)


class Preload:
    """Imports what runners need, piece by piece."""

    def __init__(self) -> None:
        self._left = list(NEEDED)
        self._rare = list(RARELY_NEEDED)

    @property
    def is_done(self) -> bool:
        return not self._left and not self._rare

    def continue_until(self, asked: Callable[[], bool]) -> None:
        """Import what every runner needs until ``asked`` says that the supervisor wants something.

        Raises:
            ImportError: a module can't be had.
        """
        if asked():
            return
        import importlib

        from .bundled_packages import bundled_packages

        with bundled_packages():
            while self._left and not asked():
                importlib.import_module(self._left[0])
                self._left.pop(0)

    def import_needed(self) -> None:
        """Import all that every runner needs. Raises ``ImportError`` for what can't be had."""
        self.continue_until(lambda: False)

    def import_all(self) -> None:
        """Import what only some requests need, too."""
        import importlib

        self.import_needed()
        while self._rare:
            importlib.import_module(self._rare.pop(0))

    def check(self) -> None:
        """Raise ``ImportError`` when a module that is still to be imported can't be found."""
        if "cloudpickle" not in self._left or _can_be_found("cloudpickle"):
            return
        from .bundled_packages import bundled_packages

        with bundled_packages():
            if not _can_be_found("cloudpickle"):
                raise ModuleNotFoundError("No module named 'cloudpickle'", name="cloudpickle")


def _can_be_found(module: str) -> bool:
    # The same search as importlib.util.find_spec, whose own import takes long.
    return any(finder.find_spec(module, None) is not None for finder in sys.meta_path)
