"""What comes along is found where the interpreter lacks it, and only there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flash_runner.imports import bundled_packages


def test_it_is_found_meanwhile_and_after_the_interpreters_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flash_companion.py").write_text("x = 1\n")
    # The interpreter has a package of that name itself.
    (tmp_path / "cloudpickle.py").write_text("raise AssertionError\n")
    monkeypatch.setattr(bundled_packages, "_DIRECTORY", str(tmp_path))
    monkeypatch.delitem(sys.modules, "cloudpickle", raising=False)
    before = list(sys.path)
    with bundled_packages.bundled_packages():
        import cloudpickle
        import flash_companion

        assert flash_companion.x == 1
        assert "site-packages" in cloudpickle.__file__
    assert sys.path == before


def test_where_nothing_comes_along_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled_packages, "_DIRECTORY", str(tmp_path / "none"))
    before = list(sys.path)
    with bundled_packages.bundled_packages():
        assert sys.path == before
