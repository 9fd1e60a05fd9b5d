"""Small hand-made pools for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GOOD = ("    return a + b\n", "    total = a + b\n    return total\n", "    return b + a\n")
BAD = ("    return a - b\n", "    pass\n", "    return a * b\n", "    return a +\n", "    # TODO\n    print(a)\n")


def record(task_id: str = "t/0", **changes: Any) -> dict[str, Any]:
    """A task whose right answer is addition; the first three candidates are right."""
    return {
        "task_id": task_id,
        "prompt": 'def add(a, b):\n    """Return the sum of a and b."""\n',
        "entry_point": "add",
        "candidates": [*GOOD, *BAD],
        "passed": [True] * len(GOOD) + [False] * len(BAD),
        "generated_tests": [
            "assert add(1, 2) == 3",
            "assert add(5, 5) == 10, 'tens'",
            "assert add(2, 2) == 5",
            "assert ____ == 3",
            "not python (",
        ],
        **changes,
    }


def write_pool(path: Path, records: list[Any]) -> Path:
    """A pool file of these records."""
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path
