"""Writes a wheel: make_wheel.py DIRECTORY NAME VERSION [--requires REQUIREMENT]... [--extra NAME]... [--script NAME]"""

import argparse
import zipfile
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("directory", type=Path)
parser.add_argument("name")
parser.add_argument("version")
parser.add_argument("--requires", action="append", default=[])
parser.add_argument("--extra", action="append", default=[])
parser.add_argument("--script")
given = parser.parse_args()

module = given.name.replace("-", "_").lower()
info = f"{module}-{given.version}.dist-info"
metadata = ["Metadata-Version: 2.1", f"Name: {given.name}", f"Version: {given.version}"]
metadata += [f"Provides-Extra: {extra}" for extra in given.extra]
metadata += [f"Requires-Dist: {requirement}" for requirement in given.requires]
files = {
    f"{module}.py": f"version = {given.version!r}\n\n\ndef main():\n    print({given.name!r}, version)\n",
    f"{info}/METADATA": "\n".join(metadata) + "\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
if given.script:
    files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{given.script} = {module}:main\n"
files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])

given.directory.mkdir(parents=True, exist_ok=True)
wheel = given.directory / f"{module}-{given.version}-py3-none-any.whl"
with zipfile.ZipFile(wheel, "w") as archive:
    for path, text in files.items():
        archive.writestr(path, text)
print(wheel)
