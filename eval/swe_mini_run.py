"""Grading runs without Docker: the official eval script in the sandbox, its log in the official shape.

Patch and tests run in the jail (docs/sandbox.md), as strictly kept as anything an agent does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from eval.swe_grading import INSTANCE_LOG, PATCH, TEST_OUTPUT
from hybrid_agent.swe.bench.dataset import Row
from hybrid_agent.swe.bench.predictions import Prediction
from task_packs.swe_mini.jail import Ran, run_script
from task_packs.swe_mini.mirror import checkout

INSIDE_GIT = "model.patch"
# the official harness's ways to apply a patch, one after the other, each on a clean tree
APPLY = f"""
cd "$SWE_MINI_ROOT"
git config --global --add safe.directory "$PWD"
while read -r way; do
  if $way .git/{INSIDE_GIT}; then exit 0; fi
  git checkout -- . && git clean -fdq
done <<'WAYS'
git apply --verbose
git apply --verbose --3way
git apply --verbose --reject
patch --batch --forward --fuzz=5 -p1 -i
WAYS
exit 1
"""


def run_all(
    rows: Sequence[Row],
    predictions: Mapping[str, Prediction],
    mirrors: Mapping[str, Path],
    logs: Path,
    *,
    timeout_s: float,
    workers: int,
    told: Callable[[str], None],
) -> None:
    """Write a log for every instance that has a patch.

    Args:
        rows: of the 5.x schema.
        predictions: by instance.
        mirrors: repo -> bare repository.
        logs: folder, in it <model>/<instance>/ as the official harness writes them.
        timeout_s: of an instance's tests.
        workers: instances at a time.
        told: called with each instance that is finished.

    Raises:
        SandboxError: no jail can be built here.
    """
    chosen = [(row, predictions[row["instance_id"]]) for row in rows if row["instance_id"] in predictions]
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        running = {
            pool.submit(run_one, row, prediction, mirrors[str(row["repo"])], logs, timeout_s): prediction.instance_id
            for row, prediction in chosen
            if prediction.patch.strip()
        }
        for future in as_completed(running):
            future.result()
            told(running[future])


def run_one(row: Row, prediction: Prediction, mirror: Path, logs: Path, timeout_s: float) -> Path:
    """Apply a patch to the base commit and run the eval script; returns the folder of the log."""
    from swebench.harness.constants import APPLY_PATCH_FAIL, APPLY_PATCH_PASS
    from swebench.harness.utils import make_test_spec

    script = make_test_spec(row).eval_script
    folder = logs / prediction.folder / prediction.instance_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PATCH).write_text(prediction.patch, encoding="utf-8", errors="surrogateescape")
    (folder / "eval.sh").write_text(script, encoding="utf-8")
    with checkout(mirror, str(row["base_commit"])) as tree:
        (tree / ".git" / INSIDE_GIT).write_text(prediction.patch, encoding="utf-8", errors="surrogateescape")
        applied = run_script(APPLY, tree)
        if applied.exit_code:
            _write(folder / INSTANCE_LOG, f"{APPLY_PATCH_FAIL}:\n{applied.output}")
            return folder
        ran = run_script(script, tree, timeout_s)
    _write(folder / INSTANCE_LOG, f"{APPLY_PATCH_PASS}:\n{applied.output}\nTest runtime: {ran.seconds:.2f} seconds\n")
    _write(folder / TEST_OUTPUT, ran.output + _ended(ran, timeout_s))
    return folder


def _ended(ran: Ran, timeout_s: float) -> str:
    """What the harness adds to a log that ended early."""
    if ran.killed_by is None:
        return ""
    if ran.killed_by in ("wall", "cpu"):
        return f"\n\nTimeout error: {timeout_s:g} seconds exceeded."
    return f"\n\nended by the sandbox's limit on {ran.killed_by}"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace")
