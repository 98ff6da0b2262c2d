"""Begins and ends a measurement of flash_runner's lines: ``begin DIRECTORY``, ``report DIRECTORY``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import coverage
from line_recorder import LAYOUT, MAP, offsets

MEASURE = Path(__file__).parent
PACKAGE = MEASURE.parent / "flash_runner"


def begin(directory: Path) -> None:
    """Prepares the map of all lines, and what every interpreter of this environment imports."""
    directory.mkdir(parents=True, exist_ok=True)
    layout, size = [], 0
    for path in sorted(PACKAGE.rglob("*.py")):
        layout.append(f"{size} {path.relative_to(PACKAGE).as_posix()}")
        # Lines count from 1.
        size += len(path.read_text().splitlines()) + 2
    (directory / LAYOUT).write_text("\n".join(layout))
    (directory / MAP).write_bytes(bytes(size))
    shutil.copy(MEASURE / "line_recorder.py", directory)


def report(directory: Path) -> None:
    """Has coverage.py say which statements of each file did not run."""
    seen = (directory / MAP).read_bytes()
    known = offsets(directory)
    ends = [*sorted(known.values())[1:], len(seen)]
    data = coverage.CoverageData(str(directory / "data"))
    data.erase()
    data.add_lines(
        {
            str(PACKAGE / name): [line for line in range(end - start) if seen[start + line]]
            for (name, start), end in zip(sorted(known.items(), key=lambda item: item[1]), ends, strict=True)
        }
    )
    measured = coverage.Coverage(data_file=str(directory / "data"), source=[str(PACKAGE)])
    measured.load()
    measured.json_report(outfile=str(directory / "coverage.json"))


if __name__ == "__main__":
    {"begin": begin, "report": report}[sys.argv[1]](Path(sys.argv[2]))
