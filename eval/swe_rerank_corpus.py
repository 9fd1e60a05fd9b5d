"""Labelled patches for the energy of `hybrid-agent rerank`: python -m eval.swe_rerank_corpus out=FILE

For every bug of task_packs/swe_mini a pool of patches is drawn: the gold patch (in most pools), the gold patch with a
further random edit on its own lines (near misses, of the same size and place), random edits near the bug and elsewhere,
and junk (empty, a remark, a patch for another bug). Each runs against the right test suite in the sandbox: tests that
failed before label it, tests that passed before are its visible evidence.
"""

from __future__ import annotations

import ast
import difflib
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hybrid_agent.assemble.swe import repair_sandbox
from hybrid_agent.swe.command import read_command, split_command
from hybrid_agent.swe.edits import unified
from hybrid_agent.swe.operators import all_edits
from hybrid_agent.swe.options import RepairOptions
from hybrid_agent.swe.rerank.features import Evidence
from hybrid_agent.swe.scene import Scene
from hybrid_agent.swe.source import Source
from hybrid_agent.swe.testing import GOOD, Tester, TestRun
from task_packs.swe_mini.spec import Bug, Repo, is_test, load_repos

Files = dict[str, str]
GOLD_SHARE, NEAR, CLOSE, FAR, AROUND = 0.75, 3, 2, 1, 4
REMARK = "# checked\n"


def pool(repo: Repo, bug: Bug, rng: random.Random) -> list[Files]:
    """The files that each candidate of a bug leaves behind; `repo.wrong(bug)` itself stands for an empty patch."""
    wrong, right = repo.wrong(bug), repo.files
    path = bug.edits[0].file
    found: list[Files] = [right] if rng.random() < GOLD_SHARE else []
    near = [{**right, path: text} for text in _edited(path, right[path], _changed(wrong[path], right[path], 0), rng)]
    close = [
        {**wrong, path: text} for text in _edited(path, wrong[path], _changed(right[path], wrong[path], AROUND), rng)
    ]
    found += near[:NEAR] + close[:CLOSE]
    others = [name for name in wrong if name.endswith(".py") and not is_test(name) and name != path and wrong[name]]
    if others:
        other = rng.choice(others)
        every = set(range(1, wrong[other].count("\n") + 1))
        found += [{**wrong, other: text} for text in list(_edited(other, wrong[other], every, rng))[:FAR]]
    junk = rng.choice(["empty", "remark", "stale"])
    if junk == "empty":
        found.append(wrong)
    elif junk == "remark":
        found.append({**wrong, path: wrong[path] + REMARK})
    else:
        bugs = [each for each in repo.bugs if each is not bug]
        found.append(_stale(wrong, rng.choice(bugs)) if bugs else wrong)
    rng.shuffle(found)
    return found


def _changed(old: str, new: str, around: int) -> set[int]:
    """Lines of `new` that differ from `old`, and `around` lines before and after."""
    matcher = difflib.SequenceMatcher(a=old.splitlines(), b=new.splitlines(), autojunk=False)
    found: set[int] = set()
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind != "equal":
            found |= set(range(first + 1 - around, max(last, first + 1) + 1 + around))
    return found


def _edited(path: str, text: str, lines: set[int], rng: random.Random) -> Iterator[str]:
    """The text after one random edit on these lines; each differs in what it does from the text and from the others."""
    edits = list(all_edits(Scene(Source(path, text.encode())), lines))
    rng.shuffle(edits)
    seen = {ast.dump(ast.parse(text))}
    for each in edits:
        changed = each.apply(text)
        try:
            key = ast.dump(ast.parse(changed))
        except SyntaxError:
            continue
        if key not in seen:
            seen.add(key)
            yield changed


def _stale(files: Files, bug: Bug) -> Files:
    """The repair of another bug, turned round: it breaks what is right here."""
    changed = dict(files)
    for edit in bug.edits:
        changed[edit.file] = changed[edit.file].replace(edit.right, edit.wrong)
    return changed


def difference(before: Files, after: Files) -> str:
    """A unified diff for `git apply`."""
    parts = [unified(path, before[path].encode(), after[path].encode()) for path in sorted(after)]
    return b"".join(
        f"diff --git a/{path} b/{path}\n".encode() + part
        for path, part in zip(sorted(after), parts, strict=True)
        if part
    ).decode()


class Judge:
    """Runs the right test suite of a repository on changed files."""

    def __init__(self, repo: Repo, folder: Path) -> None:
        self.folder, self.files = folder, dict(repo.files)
        for path, text in repo.files.items():
            _write(folder / path, text)
        chosen = repair_sandbox()
        options = RepairOptions(python=chosen.python, paths=chosen.paths, per_test_s=5.0, timeout_s=60.0)
        command = read_command(
            split_command(repo.test_command.replace("python3 -m pytest", "pytest").replace(" -v", ""))
        )
        self.sandbox = chosen.make(folder)
        self.tester = Tester(self.sandbox, command, options, ["/workspace"])

    def run(self, files: Files) -> TestRun:
        """The outcome of every test of the right suite on these sources."""
        wanted = {path: self.files[path] if is_test(path) else text for path, text in files.items()}
        for path, text in wanted.items():
            if self.files[path] != text or (self.folder / path).read_text(encoding="utf-8") != text:
                _write(self.folder / path, text)
        return self.tester.run()

    def close(self) -> None:
        """End the sandbox."""
        self.sandbox.close()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def label(repo: Repo, bug: Bug, judge: Judge, pools: Sequence[Files]) -> dict[str, Any]:
    """The record of one pool: patches with evidence and labels."""
    wrong = repo.wrong(bug)
    before = judge.run(wrong)
    kept, failing = before.passing, before.failing
    candidates, known = [], {json.dumps(wrong, sort_keys=True): before}
    for files in pools:
        key = json.dumps(files, sort_keys=True)
        if key not in known:
            known[key] = judge.run(files)
        after = known[key]
        broken = sum(after.outcomes.get(test) not in GOOD for test in kept)
        fixed = all(after.outcomes.get(test) in GOOD for test in failing)
        patch = difference(wrong, files)
        seen = Evidence(True, True, broken, 0, 0, tuple(_symbols(wrong, files))) if patch else Evidence()
        candidates.append(
            {"patch": patch, "resolved": bool(failing) and fixed and not broken, "evidence": asdict(seen)}
        )
    return {
        "instance_id": repo.instance_id(bug),
        "repo": repo.full_name,
        "statement": f"{bug.title}\n\n{bug.body}\n",
        "candidates": candidates,
    }


def _symbols(before: Files, after: Files) -> Iterator[str]:
    for path in sorted(after):
        if before[path] != after[path]:
            lines = _changed(before[path], after[path], 0)
            for node in ast.walk(ast.parse(after[path])):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and lines & set(
                    range(node.lineno, (node.end_lineno or node.lineno) + 1)
                ):
                    yield node.name


def main(arguments: Sequence[str]) -> None:
    """Write what is missing in the corpus; a bug that is there is not done again."""
    options = dict(word.partition("=")[::2] for word in arguments)
    out, most = Path(options.get("out", "runs/rerank/corpus.jsonl")), int(options.get("per_repo", 99))
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = out.read_text(encoding="utf-8").splitlines() if out.is_file() else []
    done = {json.loads(line)["instance_id"] for line in lines}
    for repo in load_repos():
        bugs = [bug for bug in repo.bugs[:most] if repo.instance_id(bug) not in done]
        if not bugs:
            continue
        with tempfile.TemporaryDirectory(prefix="swe-corpus-", ignore_cleanup_errors=True) as folder:
            judge = Judge(repo, Path(folder))
            try:
                for bug in bugs:
                    rng = random.Random(f"{options.get('seed', 0)}:{repo.instance_id(bug)}")
                    record = label(repo, bug, judge, pool(repo, bug, rng))
                    with out.open("a", encoding="utf-8") as handle:
                        handle.write(json.dumps(record) + "\n")
                    right = sum(each["resolved"] for each in record["candidates"])
                    print(f"{record['instance_id']}: {right} of {len(record['candidates'])} resolve it", flush=True)
            finally:
                judge.close()


if __name__ == "__main__":
    main(sys.argv[1:])
