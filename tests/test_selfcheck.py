"""What a program is asked before it takes a supervisor's place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import stigmer_pm

#: The rooms that a supervisor has in its memory.
ROOMS = ("core", "logs", "probes", "runtime", "spec", "supervisor")


def _imported_late() -> Iterator[str]:
    """The modules of ours that are imported within functions of these rooms, when they are needed."""
    for room in ROOMS:
        for file in (Path(stigmer_pm.__file__).parent / room).rglob("*.py"):
            functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, _FUNCTIONS)]
            for node in (node for function in functions for node in ast.walk(function)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stigmer_pm."):
                    yield node.module or ""


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def test_all_that_a_supervisor_imports_late_is_tried_before() -> None:
    """It would find out that something can't be imported when it is too late. (The module that lets clients in was left
    out: a supervisor that nobody can ask any more.)"""
    code = """if True:
        import sys
        from importlib import import_module
        from stigmer_pm.selfcheck import _NEEDED
        for name in _NEEDED:
            import_module(name)
        print(*sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    late = set(_imported_late())
    assert "stigmer_pm.supervisor.visitors" in late
    assert late - set(done.stdout.split()) == set()
