"""``python -m tests.conformance [FILE]``: run every case, a line for each that fails, and the counts."""

from __future__ import annotations

import sys
from pathlib import Path

from . import K8S
from .sections import SECTIONS, load_cases


def main(arguments: list[str]) -> int:
    """The exit status: 0 when every case passes."""
    path = Path(arguments[0]) if arguments else K8S
    passed = failed = skipped = 0
    for section, cases in load_cases(path).items():
        for case in cases:
            problems = SECTIONS[section](case)
            if problems is None:
                skipped += 1
                print(f"skip {section}/{case['id']}: nothing here has this notion")
            elif problems:
                failed += 1
                print(f"FAIL {section}/{case['id']}: {'; '.join(problems)}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
