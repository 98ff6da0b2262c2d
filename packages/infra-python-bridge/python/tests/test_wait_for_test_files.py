"""User code that looks for tests of packages before they have come waits for them; other code does not."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import started_supervisor


@pytest.fixture
def package() -> Iterator[tuple[str, Path]]:
    """A package of this environment whose tests are not there yet: its name, and its directory."""
    [site] = [Path(path) for path in sys.path if path.endswith("site-packages")][:1]
    directory = site / "flash_arriving"
    directory.mkdir()
    (directory / "__init__.py").write_text("x = 1\n")
    (directory / "data.txt").write_text("data")
    yield directory.name, directory
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    directory.rmdir()


def bring_tests(directory: Path, completion_file: Path, seconds: float) -> threading.Thread:
    def work() -> None:
        time.sleep(seconds)
        (directory / "tests").mkdir()
        (directory / "tests" / "__init__.py").write_text("")
        (directory / "tests" / "test_it.py").write_text("x = 2\n")
        completion_file.touch()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


LOOKS = [
    "import flash_arriving.tests.test_it as it\n    return it.x",
    "from importlib import import_module\n    return import_module('flash_arriving.tests.test_it').x",
    "from importlib.resources import files\n    import flash_arriving\n"
    "    return int((files(flash_arriving) / 'tests' / 'test_it.py').read_text()[4])",
    "import os, flash_arriving\n    return 2 * ('tests' in os.listdir(os.path.dirname(flash_arriving.__file__)))",
    "import pathlib, flash_arriving\n"
    "    return 2 * len(list(pathlib.Path(flash_arriving.__file__).parent.glob('*/test_it.py')))",
    "import subprocess, sys\n"
    "    code = 'import flash_arriving.tests.test_it as it; print(it.x)'\n"
    "    return int(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout)",
    "import os, flash_arriving\n"
    "    return 2 * (os.system('true') == 0 and os.path.exists(flash_arriving.__path__[0] + '/tests'))",
]


@pytest.mark.parametrize("code", LOOKS)
def test_what_looks_for_them_waits(code: str, tmp_path: Path, package: tuple[str, Path]) -> None:
    completion_file = tmp_path / "complete"
    with started_supervisor(completion_file=str(completion_file)) as supervisor:
        runner = supervisor.fork()
        # The import system has listed the package's directory while the tests were missing.
        assert runner.value("def f():\n    import flash_arriving\n    return flash_arriving.x") == 1
        assert not completion_file.exists()
        thread = bring_tests(package[1], completion_file, 0.3)
        try:
            assert runner.value(f"def f():\n    {code}") == 2
            assert completion_file.exists()
        finally:
            thread.join()


def test_other_code_does_not_wait(tmp_path: Path, package: tuple[str, Path]) -> None:
    completion_file = tmp_path / "complete"
    code = (
        "def f():\n    import os, json, flash_arriving, importlib.metadata\n"
        "    os.listdir('.')\n    open(flash_arriving.__path__[0] + '/data.txt').close()\n"
        "    open(os.devnull).close()\n    return importlib.metadata.version('cloudpickle')[0]"
    )
    with started_supervisor(completion_file=str(completion_file)) as supervisor:
        runner = supervisor.fork()
        assert runner.value(code) == "3"
        assert not completion_file.exists()


def test_once_all_is_there_nothing_stands_in_the_way(tmp_path: Path) -> None:
    completion_file = tmp_path / "complete"
    completion_file.touch()
    with started_supervisor(completion_file=str(completion_file)) as supervisor:
        code = "def f():\n    import sys, subprocess\n    return subprocess.run(['true']).returncode"
        assert supervisor.fork().value(code) == 0
