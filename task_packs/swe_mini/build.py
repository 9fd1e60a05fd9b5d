"""Make `instances.jsonl` anew: `python -m task_packs.swe_mini.build [--only REPO]`.

For every bug the suite of the right state is run on the wrong one, in the sandbox. Tests that fail are taken out of
the base commit (nobody had written them yet) and come back with the test patch. Then the eval script runs twice,
without and with the gold patch, and the official parsers read which tests went from failing to passing and which
always passed.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from task_packs.swe_mini import history, jail
from task_packs.swe_mini.cut import without
from task_packs.swe_mini.mirror import base_commits, branch_of, checkout
from task_packs.swe_mini.script import END, START, eval_script
from task_packs.swe_mini.spec import HERE, NAMES, Bug, Repo, is_test, load_repo

INSTANCES = HERE / "instances.jsonl"
IMAGE = "sweb.eval.x86_64.{instance}:latest"
GOOD = ("PASSED", "XFAIL")
_UNITTEST = re.compile(r"^\w+ \([\w.]+\)")


def build_instance(repo: Repo, bug: Bug) -> dict[str, Any]:
    """One row of the data set.

    Raises:
        ValueError: the bug makes no test fail, or the suite does not pass without it.
    """
    name = repo.instance_id(bug)
    failing = _failing(repo, repo.wrong(bug))
    if not failing:
        raise ValueError(f"{name}: no test fails")
    commits = base_commits(repo, bug, failing)
    right = history.Commit("right", repo.created(bug), repo.files)
    with tempfile.TemporaryDirectory(prefix="swe-mini-") as scratch:
        folder = Path(scratch) / "repo.git"
        ids = history.write_branches(folder, {"base": commits, "right": [*commits, right]})
        setup, base, fixed = ids["base"][0], ids["base"][-1], ids["right"][-1]
        changed = [path for path in repo.files if commits[-1].files[path] != repo.files[path]]
        tests = sorted(path for path in changed if is_test(path))
        test_patch = history.difference(folder, base, fixed, *tests)
        patch = history.difference(folder, base, fixed, *(path for path in changed if not is_test(path)))
        script = eval_script(base, test_patch, tests, repo.test_command)
        before = _statuses(repo, name, folder, base, script, None)
        after = _statuses(repo, name, folder, base, script, patch)
    if cut := [test for test in after if "[" in test and "]" not in test]:
        raise ValueError(f"{name}: blanks in the names of {cut}")
    bad = sorted(test for test, status in after.items() if status not in GOOD)
    if bad:
        raise ValueError(f"{name}: these fail with the gold patch: {bad}")
    f2p = sorted(test for test in after if before.get(test) not in GOOD)
    p2p = sorted(test for test in after if before.get(test) in GOOD)
    if not f2p or not p2p:
        raise ValueError(f"{name}: {len(f2p)} failing and {len(p2p)} passing tests")
    return {
        "instance_id": name,
        "repo": repo.full_name,
        "base_commit": base,
        "patch": patch,
        "test_patch": test_patch,
        "problem_statement": f"{bug.title}\n\n{bug.body}\n",
        "hints_text": bug.hints,
        "created_at": repo.created(bug).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": repo.version,
        "FAIL_TO_PASS": json.dumps(f2p),
        "PASS_TO_PASS": json.dumps(p2p),
        "environment_setup_commit": setup,
        "image": IMAGE.format(instance=name),
        "eval_script": script,
        "log_parser": repo.log_parser,
        "eval_type": "pass_and_fail",
        "test_cmd": repo.test_command,
    }


def _failing(repo: Repo, files: dict[str, str]) -> list[str]:
    """Tests of the suite that fail on these files."""
    with tempfile.TemporaryDirectory(prefix="swe-mini-") as scratch:
        folder = Path(scratch)
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        script = f"cd \"$SWE_MINI_ROOT\"\necho '{START}'\n{repo.test_command}\necho '{END}'\n"
        found = parse(repo.log_parser, jail.run_script(script, folder).output)
    # of a test with parts unittest names only the part that failed
    names = {match.group() if (match := _UNITTEST.match(test)) else test: status for test, status in found.items()}
    return sorted(test for test, status in names.items() if status not in GOOD and _whole(test))


def _whole(test: str) -> bool:
    """False for what the parser of unittest's output reads from headings: a bare name, or one of a part of a test."""
    return "::" in test or test.endswith(")")


def _statuses(repo: Repo, name: str, mirror: Path, base: str, script: str, patch: str | None) -> dict[str, str]:
    from swebench.harness.utils import make_test_spec

    row = {"instance_id": name, "image": "", "repo": repo.full_name, "version": repo.version, "eval_script": script}
    spec = make_test_spec(
        {**row, "FAIL_TO_PASS": [], "PASS_TO_PASS": [], "log_parser": repo.log_parser, "eval_type": "pass_and_fail"}
    )
    with checkout(mirror, base) as folder:
        if patch is not None:
            history.git(folder, "apply", "-", stdin=patch.encode())
        output = jail.run_script(spec.eval_script, folder).output
    found = parse(repo.log_parser, output)
    return {test: status for test, status in found.items() if _whole(test)}


def parse(parser: str, output: str) -> dict[str, str]:
    """Test -> status, by the official parser; of what stands between the two markers."""
    from swebench.harness.log_parsers import PARSER_REGISTRY

    if START not in output or END not in output:
        raise ValueError(f"the tests did not run: {output[-800:]}")
    found: dict[str, str] = PARSER_REGISTRY[parser](output.split(START)[1].split(END)[0], None)
    if not found:
        raise ValueError(f"no test ran: {output[-800:]}")
    return found


def check_base(repo: Repo, bug: Bug, failing: list[str]) -> list[str]:
    """Tests that fail at the base commit, whose suite should pass: the bug was not noticed."""
    return _failing(repo, without(repo.wrong(bug), failing))


def main() -> None:
    """Write the data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=NAMES, action="append", help="make only these repositories' instances anew")
    parser.add_argument("--workers", type=int, default=2, help="instances at a time")
    options = parser.parse_args()
    kept: dict[str, dict[str, Any]] = {}
    if options.only:
        rows = [json.loads(line) for line in INSTANCES.read_text(encoding="utf-8").splitlines()]
        kept = {row["instance_id"]: row for row in rows if row["repo"].split("/")[1] not in options.only}
    repos = [load_repo(name) for name in options.only or NAMES]
    todo = [(repo, bug) for repo in repos for bug in repo.bugs]

    def work(pair: tuple[Repo, Bug]) -> dict[str, Any]:
        repo, bug = pair
        row = build_instance(repo, bug)
        f2p = json.loads(row["FAIL_TO_PASS"])
        if bad := check_base(repo, bug, f2p):
            raise ValueError(f"{row['instance_id']}: the base commit's own tests fail: {bad}")
        print(f"{branch_of(row)}: {len(f2p)} to fix, {len(json.loads(row['PASS_TO_PASS']))} to keep", flush=True)
        return row

    with ThreadPoolExecutor(options.workers) as pool:
        made = {row["instance_id"]: row for row in pool.map(work, todo)}
    rows = [row for _, row in sorted({**kept, **made}.items())]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    INSTANCES.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(rows)} instances of {len({row['repo'] for row in rows})} repositories in {INSTANCES}")


if __name__ == "__main__":
    main()
