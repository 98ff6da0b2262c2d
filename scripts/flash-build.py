"""Build a Flash app with the real `flash build`: python flash-build.py PROJECT. Prints the artifact's path.

Needs runpod-flash.
"""

import contextlib
import sys
from pathlib import Path

from runpod_flash.cli.commands.build import run_build

version = f"{sys.version_info[0]}.{sys.version_info[1]}"
with contextlib.redirect_stdout(sys.stderr):
    artifact = run_build(Path(sys.argv[1]).resolve(), "sample", python_version=version)
print(artifact)
