"""What user code imports is told, and can be imported ahead of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import IMPORTS, started_supervisor

from flash_runner.imports.library_imports import LibraryImports
from flash_runner.imports.preimport import Contaminated, _opens_gpu, preimport
from flash_runner.imports.recorder import ImportRecorder

SLOW = "import time\ntime.sleep(0.3)\n"


def library(directory: Path, **modules: str) -> Path:
    """A directory that counts as one of installed packages."""
    packages = directory / "site-packages"
    packages.mkdir()
    for name, source in modules.items():
        (packages / f"{name}.py").write_text(source)
    return packages


def test_costly_imports_of_a_request_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = SLOW
    packages = library(tmp_path, slow_one=f"import slow_inner\n{SLOW}", slow_inner=inner, quick="x = 1")
    (tmp_path / "mine.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", f"{packages}{os.pathsep}{tmp_path}")
    with started_supervisor(record_imports=True) as supervisor:
        runner = supervisor.fork()
        assert runner.value("def f():\n    import slow_one, quick, mine\n    return 1") == 1
        told = [json.loads(frame.body) for frame in runner.frames if frame.kind == IMPORTS]
        # What a module imports counts as its own time; modules that are quick, or the user's own, are not told.
        [modules] = told
        # A busy machine may be slow with the quick one too.
        assert {"slow_one"} <= modules.keys() <= {"slow_one", "quick"}
        assert modules["slow_one"] >= 600
        runner.frames.clear()
        assert runner.value("def f():\n    import slow_one\n    return 2") == 2
        assert not runner.frames


def test_a_timed_module_looks_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = library(tmp_path, timed_module="import inspect\ndef g():\n    return 1\n", broken_module="1 / 0\n")
    monkeypatch.syspath_prepend(str(packages))
    told: list[str] = []
    imports = LibraryImports(lambda name, _seconds: told.append(name))
    imports.install()
    try:
        import inspect

        import timed_module

        with pytest.raises(ZeroDivisionError):
            import broken_module  # noqa: F401
    finally:
        sys.meta_path.remove(imports)
    assert told == ["timed_module", "broken_module"]
    assert type(timed_module.__loader__).__name__ == "SourceFileLoader"
    assert timed_module.__spec__.loader is timed_module.__loader__
    assert "def g" in inspect.getsource(timed_module.g)
    assert "broken_module" not in sys.modules


def test_runners_have_what_was_imported_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = library(tmp_path, ahead="import os\nPID = os.getpid()\n")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    with started_supervisor(preimport=["ahead", "not_there"]) as supervisor:
        assert list(supervisor.ready["imported"]) == ["ahead"]
        assert "ModuleNotFoundError" in supervisor.ready["refused"]["not_there"]
        runner = supervisor.fork()
        assert runner.value("def f():\n    import ahead\n    return ahead.PID") == supervisor.ready["pid"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()", "threads"),
        ("x = bytearray(400_000_000)\nx[::4096] = b'1' * len(x[::4096])", "memory"),
    ],
)
def test_what_must_not_be_forked_ends_the_zygote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str
) -> None:
    packages = library(tmp_path, unfit=source)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    with started_supervisor(preimport=["unfit"], preimport_bytes=100_000_000) as supervisor:
        assert supervisor.ready["event"] == "failed"
        assert supervisor.ready["module"] == "unfit"
        assert reason in supervisor.ready["reason"]
        assert supervisor.process.wait(10) == 1


def test_no_time_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(library(tmp_path, takes_long=SLOW, comes_late=SLOW)))
    report = preimport(["takes_long", "comes_late"], 0.01, 1 << 40)
    assert list(report["imported"]) == ["takes_long"]
    assert "no time" in report["refused"]["comes_late"]


def test_an_open_gpu_is_seen(tmp_path: Path) -> None:
    device = tmp_path / "nvidia0"
    device.touch()
    descriptors = tmp_path / "fd"
    descriptors.mkdir()
    (descriptors / "3").symlink_to("/dev/null")
    assert not _opens_gpu(str(descriptors), str(tmp_path / "nvidia"))
    (descriptors / "4").symlink_to(device)
    assert _opens_gpu(str(descriptors), str(tmp_path / "nvidia"))
    assert issubclass(Contaminated, Exception)


def test_what_zygotes_import_in_any_case_is_not_told() -> None:
    recorder = ImportRecorder()
    for name, seconds in (("asyncio", 0.02), ("another", 0.02), ("quick", 0.001)):
        recorder.note(name, seconds)
    assert list(recorder.take()) == ["another"]
