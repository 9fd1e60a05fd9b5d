"""Small git repositories and a SWE-bench data set over them, in both schemas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]

SOURCE = '''def total(values):
    """Sum of the values."""
    result = 0
    for value in values:
        result {op} value
    return result


def largest(values):
    """The largest value, None if there is none."""
    return max(values) if values else None
'''
TESTS = """from shop.sums import largest, total


def test_largest():
    assert largest([1, 3, 2]) == 3
    assert largest([]) is None
"""
RUNNER = """import importlib.util, sys

path = sys.argv[1]
spec = importlib.util.spec_from_file_location("tests", path)
module = importlib.util.module_from_spec(spec)
sys.path.insert(0, ".")
spec.loader.exec_module(module)
failed = 0
for name in [name for name in vars(module) if name.startswith("test_")]:
    try:
        getattr(module, name)()
        print(f"PASSED {path}::{name}")
    except AssertionError as error:
        failed += 1
        print(f"FAILED {path}::{name} - {error}")
sys.exit(failed)
"""
TEST_PATCH = """diff --git a/tests/test_sums.py b/tests/test_sums.py
--- a/tests/test_sums.py
+++ b/tests/test_sums.py
@@ -4,3 +4,7 @@
 def test_largest():
     assert largest([1, 3, 2]) == 3
     assert largest([]) is None
+
+
+def test_total():
+    assert total([1, 2, 3]) == 6
"""
FAIL_TO_PASS, PASS_TO_PASS = ["tests/test_sums.py::test_total"], ["tests/test_sums.py::test_largest"]


def patch(old: str, new: str) -> str:
    """A change of the accumulating line."""
    return f"""diff --git a/shop/sums.py b/shop/sums.py
--- a/shop/sums.py
+++ b/shop/sums.py
@@ -2,7 +2,7 @@
     \"\"\"Sum of the values.\"\"\"
     result = 0
     for value in values:
-        result {old} value
+        result {new} value
     return result
 
 
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def repository(folder: Path, op: str = "-=") -> str:
    """A repository whose first commit has the bug and whose second repairs it; returns the first."""
    (folder / "shop").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "sums.py").write_text(SOURCE.format(op=op))
    (folder / "tests" / "test_sums.py").write_text(TESTS)
    (folder / "conftest.py").write_text("")
    (folder / "runner.py").write_text(RUNNER)  # prints as pytest -rA does, and starts in no time
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "start")
    base = git(folder, "rev-parse", "HEAD")
    (folder / "shop" / "sums.py").write_text(SOURCE.format(op="+="))
    git(folder, "commit", "--quiet", "-a", "-m", "repair")
    return base


def row(instance: str, repo: str, commit: str, old: str = "-=", **more: Any) -> Row:
    """An instance in the schema of 4.x."""
    return {
        "instance_id": instance,
        "repo": repo,
        "base_commit": commit,
        "patch": patch(old, "+="),
        "test_patch": TEST_PATCH,
        "problem_statement": "The total of the values is wrong: total([1, 2, 3]) should be 6.",
        "hints_text": "",
        "created_at": "2026-01-01",
        "version": "1.0",
        "FAIL_TO_PASS": json.dumps(FAIL_TO_PASS),
        "PASS_TO_PASS": json.dumps(PASS_TO_PASS),
        "environment_setup_commit": commit,
        **more,
    }


def five(row_of_four: Row, image: str = "swe-case:latest") -> Row:
    """The same instance in the schema of 5.x."""
    script = (
        "#!/bin/bash\nset -uxo pipefail\ncd /testbed\ngit checkout HEAD -- tests\n"
        f"git apply -v - <<'EOF_TESTS'\n{TEST_PATCH}EOF_TESTS\n"
        "echo '>>>>> Start Test Output'\n/usr/bin/python3 runner.py tests/test_sums.py\n"
        "echo '>>>>> End Test Output'\ngit checkout HEAD -- tests\n"
    )
    fields = {"image": image, "eval_script": script, "log_parser": "parse_log_pytest", "eval_type": "pass_and_fail"}
    return {**row_of_four, **fields}


def write_jsonl(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def cases(base: Path, count: int, repos: int = 2) -> tuple[Path, Path]:
    """A data set of `count` instances and the folder of mirrors they live in."""
    mirrors = base / "mirrors"
    commits = {f"small/shop{n}": repository(mirrors / f"small__shop{n}") for n in range(repos)}
    names = list(commits)
    rows = [five(row(f"small__shop-{n}", names[n % repos], commits[names[n % repos]])) for n in range(count)]
    return write_jsonl(base / "data.jsonl", rows), mirrors


def environment(home: Path) -> dict[str, str]:
    """A person's environment whose home is a test folder; nothing may reach for a hub."""
    keep = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return {**keep, "HOME": str(home), "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}


def command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def run(home: Path, module: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(module, *arguments),
        cwd=home,
        env={**environment(home), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )


def official_log(folder: Path, tree: Path, row_of_five: Row, model_patch: str) -> Path:
    """What the official harness leaves for one instance, made by running its script on an export of the base commit."""
    folder.mkdir(parents=True)
    (folder / "patch.diff").write_text(model_patch)
    applied = subprocess.run(["git", "apply", "-"], input=model_patch, cwd=tree, capture_output=True, text=True)
    told = ">>>>> Applied Patch:\n" if applied.returncode == 0 else f">>>>> Patch Apply Failed:\n{applied.stderr}"
    if applied.returncode:
        (folder / "run_instance.log").write_text(told + "EvaluationError\n")
        return folder
    from swebench.harness.utils import make_test_spec

    script = make_test_spec(row_of_five).eval_script.replace("/testbed", str(tree))
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], "HOME": str(tree.parent), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    (folder / "run_instance.log").write_text(told + "Test runtime: 1.50 seconds\n")
    (folder / "test_output.txt").write_text(done.stdout)
    return folder
