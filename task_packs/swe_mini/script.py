"""The field `eval_script`: what the harness runs after the model's patch is applied."""

from __future__ import annotations

from collections.abc import Sequence

START, END = ">>>>> Start Test Output", ">>>>> End Test Output"
HERE = "EOF_114329324912"


def eval_script(base: str, test_patch: str, test_files: Sequence[str], test_command: str) -> str:
    """Put the test files of the base commit back, apply the test patch, run the whole suite, put them back again.

    Args:
        base: commit id.
        test_patch: adds the tests of the report.
        test_files: those that it changes.
        test_command: runs all tests.
    """
    files = " ".join(test_files)
    return "\n".join(
        [
            "#!/bin/bash",
            "set -uxo pipefail",
            'cd "${SWE_MINI_ROOT:-/testbed}"',
            "export PYTHONDONTWRITEBYTECODE=1",
            'git config --global --add safe.directory "$PWD"',
            "git status",
            f"git checkout {base} {files}",
            f"git apply -v - <<'{HERE}'\n{test_patch}{HERE}",
            f": '{START}'",
            test_command,
            f": '{END}'",
            f"git checkout {base} {files}",
            "",
        ]
    )
