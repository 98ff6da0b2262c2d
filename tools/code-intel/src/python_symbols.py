"""Symbols of Python files, as JSON on stdout: python python_symbols.py FILE…"""

from __future__ import annotations

import ast
import json
import sys
from typing import Any


def symbols(file: str) -> list[dict[str, Any]]:
    """All that the file defines at its top, and in its classes."""
    with open(file, encoding="utf-8") as source:
        tree = ast.parse(source.read(), file)
    found: list[dict[str, Any]] = []
    for node in tree.body:
        _add(file, node, None, found)
    return found


def _add(file: str, node: ast.stmt, parent: str | None, found: list[dict[str, Any]]) -> None:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        found.append(_symbol(file, node, "class", parent, f"class {node.name}" + (f"({bases})" if bases else "")))
        for member in node.body:
            _add(file, member, node.name, found)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        signature = f"{word} {node.name}({ast.unparse(node.args)}){returns}"
        found.append(_symbol(file, node, "method" if parent else "function", parent, signature))
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                kind = "property" if parent else "variable"
                found.append(_symbol(file, node, kind, parent, ast.unparse(node)[:300], target.id))


def _symbol(file: str, node: Any, kind: str, parent: str | None, signature: str, name: str | None = None) -> dict[str, Any]:
    name = name or node.name
    has_doc = isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    doc = ast.get_docstring(node) if has_doc else None
    return {
        "name": name,
        "kind": kind,
        "file": file,
        "line": node.lineno,
        "parent": parent,
        "signature": signature,
        "doc": " ".join(doc.split("\n\n")[0].split()) if doc else None,
        "decorators": [ast.unparse(one).split("(")[0] for one in getattr(node, "decorator_list", [])],
        "isExported": not name.startswith("_"),
    }


if __name__ == "__main__":
    json.dump([symbol for file in sys.argv[1:] for symbol in symbols(file)], sys.stdout)
