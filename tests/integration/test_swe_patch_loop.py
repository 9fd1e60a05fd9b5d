"""The patch loop through its command and its function, in the real sandbox, on small repositories."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_agent.assemble.swe import repair_sandbox
from hybrid_agent.swe.agent import repair
from hybrid_agent.swe.options import RepairOptions
from hybrid_agent.swe.result import RepairResult

UNITTEST = ["python3", "-m", "unittest", "-q"]
GOOD = "def larger(a, b):\n    if a > b:\n        return a\n    return b\n"
TEST = """\
import unittest
from pkg.core import larger

class Larger(unittest.TestCase):
    def test_first(self):
        self.assertEqual(larger(3, 2), 3)
    def test_second(self):
        self.assertEqual(larger(2, 3), 3)
    def test_equal(self):
        self.assertEqual(larger(2, 2), 2)
"""


def project(root: Path, core: str, test: str = TEST) -> Path:
    """A repository with one package and one test file."""
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "__init__.py").write_text("")
    (root / "pkg" / "core.py").write_text(core)
    (root / "test_core.py").write_text(test)
    return root


def state(root: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def fix(root: Path, command: list[str] | None = None, **options: object) -> RepairResult:
    """Run the loop; the repository must be as before."""
    box = repair_sandbox(None, root)
    before = state(root)
    chosen = RepairOptions(python=box.python, paths=box.paths, **{"budget": 40, "confirm": 0, **options})
    result = repair(root, command or UNITTEST, box.make, options=chosen)
    assert state(root) == before
    assert result.runs <= chosen.budget
    return result


def applied(root: Path, result: RepairResult) -> None:
    """Apply the patch with git."""
    patch = result.patch.encode(result.encoding)
    done = subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], cwd=root, input=patch, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_command_fixes_applies_and_leaves_tests_alone(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD.replace(">", "<"))
    tests = (root / "test_core.py").read_bytes()
    out = tmp_path / "patch.diff"
    arguments = [
        "--repo_root",
        str(root),
        "--test_cmd",
        "pytest -q",
        "--budget",
        "40",
        "--out",
        str(out),
        "--apply",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "hybrid_agent.swe.local_patch_agent", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == "fixed" and told["applied"]
    assert told["evidence"]["tests_after"]["failing"] == 0
    assert {row["after"] for row in told["tests"]} == {"passed"}
    assert out.read_text() == told["patch"] != ""
    assert (root / "test_core.py").read_bytes() == tests
    assert set(told["edits"][0]) >= {"before", "after", "line", "operator"}
    again = subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=root, capture_output=True)
    assert again.returncode == 0


def test_nothing_to_do_and_nothing_to_run(tmp_path: Path) -> None:
    passing = fix(project(tmp_path / "a", GOOD))
    assert (passing.status, passing.runs, passing.patch) == ("already_passing", 1, "")
    empty = fix(project(tmp_path / "b", GOOD, "x = 1\n"))
    assert empty.status == "no_tests"
    lost = fix(project(tmp_path / "c", GOOD), ["no-such-runner"])
    assert lost.status == "cannot_run" and "no-such-runner" in lost.explanation


def test_endless_loop_is_a_failing_test(tmp_path: Path) -> None:
    core = "def larger(a, b):\n    best = a\n    while b > best:\n        best = a\n    return best\n"
    result = fix(project(tmp_path / "repo", core), per_test_s=1.0)
    assert next(row for row in result.tests if "second" in row.test).before == "timeout"
    assert result.status == "fixed"


def test_syntax_error(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD.replace("if a > b:", "if a > b"))
    result = fix(root)
    assert result.status == "fixed"
    assert any("does not parse" in note for note in result.evidence["notes"])
    applied(root, result)
    compile((root / "pkg" / "core.py").read_text(), "core", "exec")


def test_two_faults_need_two_edits(tmp_path: Path) -> None:
    core = GOOD.replace(">", "<") + "\n\ndef half(n):\n    return n * 2\n"
    test = TEST.replace("import larger", "import half, larger") + (
        "class Half(unittest.TestCase):\n    def test_half(self):\n        self.assertEqual(half(8), 4)\n"
    )
    result = fix(project(tmp_path / "repo", core, test), budget=200)
    assert result.status == "fixed"
    assert len(result.edits) == 2


def test_crlf_and_other_encodings_stay(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD)
    data = b"# -*- coding: latin-1 -*-\r\n# caf\xe9\r\n" + GOOD.replace(">", "<").replace("\n", "\r\n").encode()
    (root / "pkg" / "core.py").write_bytes(data)
    (root / "pkg" / "broken.py").write_bytes(b"x = '\xff'\n")
    result = fix(root)
    assert result.status == "fixed"
    applied(root, result)
    after = (root / "pkg" / "core.py").read_bytes()
    assert after.startswith(b"# -*- coding: latin-1 -*-\r\n# caf\xe9\r\n")
    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_wrong_test_is_never_edited(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD, TEST.replace("larger(2, 2), 2", "larger(2, 2), larger"))
    result = fix(root, budget=8)
    assert result.status == "not_fixed"
    assert result.patch == ""


def test_dirty_tree_and_submodule(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (root / ".gitmodules").write_text('[submodule "pkg"]\n\tpath = vendored\n\turl = ./x\n')
    (root / "vendored").mkdir()
    (root / "vendored" / "more.py").write_text(GOOD.replace(">", "<"))
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
        subprocess.run([*git, *words], cwd=root, check=True, capture_output=True)
    (root / "pkg" / "core.py").write_text(GOOD.replace(">", "<"))
    result = fix(root)
    notes = " ".join(result.evidence["notes"])
    assert "not committed" in notes and "vendored is a submodule" in notes
    assert result.status == "fixed"
    assert "a/pkg/core.py" in result.patch
    # The fault in the submodule itself: used, never edited.
    (root / "pkg" / "core.py").write_text("from vendored.more import larger\n")
    left = fix(root, budget=10)
    assert left.status == "not_fixed" and left.patch == ""


def test_two_hundred_files(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD.replace("return a\n", "return b\n"))
    for number in range(200):
        (root / "pkg" / f"part_{number}.py").write_text(f"def part_{number}(x):\n    return x + {number}\n")
    result = fix(root)
    assert result.status == "fixed"
    assert result.evidence["search"]["candidates"] < 600


def test_tests_cannot_reach_the_repository(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD)
    attack = TEST + (
        "class Reach(unittest.TestCase):\n    def test_reach(self):\n"
        f"        for place in ({str(root)!r}, '/root', '/home'):\n"
        "            try:\n                open(place + '/left_behind', 'w').close()\n"
        "            except OSError:\n                continue\n            self.fail(place)\n"
    )
    (root / "test_core.py").write_text(attack)
    assert fix(root).status == "already_passing"
    assert not (root / "left_behind").exists()


def test_plain_commands_use_the_traceback(tmp_path: Path) -> None:
    root = project(tmp_path / "repo", GOOD.replace("return a\n", "return a[0]\n"))
    result = fix(root, ["/bin/sh", "-c", "python3 -m unittest -q"])
    assert result.status == "fixed"
    assert result.tests[0].test == "command"


def test_ambiguity_is_said(tmp_path: Path) -> None:
    core = "def larger(a, b):\n    return a + b\n"
    test = TEST.partition("    def test_second")[0].replace("larger(3, 2), 3", "larger(3, 0), 0")
    result = fix(project(tmp_path / "repo", core, test), confirm=20)
    assert result.status == "fixed"
    assert result.ambiguous and result.alternatives
    assert "the tests do not decide" in result.explanation
    energies = [each.energy for each in result.alternatives]
    assert energies == sorted(energies)


def test_bad_input_has_its_exit_code(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from hybrid_agent.cli.main import app
    from hybrid_agent.errors import InputError

    run = CliRunner().invoke(app, ["fix", "--repo_root", str(tmp_path / "none")])
    assert isinstance(run.exception, InputError)
    with pytest.raises(InputError, match="interpreter"):
        repair_sandbox(str(tmp_path / "nopython"))
