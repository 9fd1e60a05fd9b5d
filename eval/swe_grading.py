"""Grades from saved test logs, without Docker, by the official grading code (swebench 5).

A log is believed only for the patch it was made with: where `patch.diff` lies beside it and differs, nothing is graded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from hybrid_agent.errors import InputError
from hybrid_agent.swe.bench.dataset import INSTALL, Row, tests_of
from hybrid_agent.swe.bench.predictions import Prediction, patch_hash
from hybrid_agent.types import Record

Reason = Literal[
    "resolved",
    "not_fixed",  # no FAIL_TO_PASS test passes
    "partly_fixed",  # some FAIL_TO_PASS tests pass
    "broke_tests",  # all FAIL_TO_PASS pass, some PASS_TO_PASS do not
    "patch_not_applied",
    "empty_patch",
    "timeout",
    "no_test_output",  # the log ends before the tests do, or nothing in it can be read
    "infrastructure",  # the official classifier says that the environment broke
    "other_patch",  # the log was made with another patch
    "no_log",
    "no_prediction",
]
REASONS: tuple[Reason, ...] = Reason.__args__  # type: ignore[attr-defined]
TEST_OUTPUT, INSTANCE_LOG, PATCH, REPORT = "test_output.txt", "run_instance.log", "patch.diff", "report.json"
_RUNTIME = re.compile(r"Test runtime: ([\d_.]+) seconds")


class Grade(Record):
    """The verdict on one instance; `passed` counts tests as (FAIL_TO_PASS, PASS_TO_PASS)."""

    instance_id: str
    repo: str
    model: str = ""
    resolved: bool = False
    reason: Reason
    detail: str = ""
    passed: tuple[int, int] = (0, 0)
    wanted: tuple[int, int] = (0, 0)
    test_seconds: float | None = None
    log: str = ""


def grade_logs(rows: Sequence[Row], predictions: dict[str, Prediction], logs: Path) -> list[Grade]:
    """The grade of every row, from the logs below a folder (see `find_log`).

    Raises:
        InputError: swebench 5 is not installed, or there is no such folder.
    """
    if not logs.is_dir():
        raise InputError("no such folder", where=str(logs), fix="give the folder of saved logs with --logs")
    return [grade(row, predictions.get(row["instance_id"]), logs) for row in rows]


def grade(row: Row, prediction: Prediction | None, logs: Path) -> Grade:
    """The grade of one prediction.

    Args:
        row: of the 5.x schema.
        prediction: for that instance, or None.
        logs: folder in which its log lies.
    """
    wanted = (len(tests_of(row, "FAIL_TO_PASS")), len(tests_of(row, "PASS_TO_PASS")))
    known: dict[str, Any] = {"instance_id": row["instance_id"], "repo": str(row["repo"]), "wanted": wanted}
    if prediction is None:
        return Grade(**known, reason="no_prediction")
    known["model"] = prediction.model
    if not prediction.patch.strip():
        return Grade(**known, reason="empty_patch")
    found = find_logs(logs, prediction)
    if not found:
        return Grade(**known, reason="no_log", detail=f"no {TEST_OUTPUT} of {row['instance_id']} below {logs}")
    fitting = [log for log in found if not _other_patch(log, prediction)]
    if not fitting:
        return Grade(
            **known, reason="other_patch", detail=f"{PATCH} beside the log is not the patch", log=str(found[0])
        )
    log = max(fitting, key=lambda path: path.stat().st_mtime)
    return Grade(**known, log=str(log), **_read(row, prediction, log))


def find_logs(logs: Path, prediction: Prediction) -> list[Path]:
    """Logs of an instance below a folder.

    Known shapes: the official `.../<model>/<instance>/test_output.txt` (or only `run_instance.log`, when the patch did
    not apply), `<instance>/test_output.txt`, and `<instance>.log` or `.txt`.
    """
    instance, model = prediction.instance_id, prediction.folder
    found = []
    for name in (instance, f"{model}/{instance}", f"*/{model}/{instance}", f"*/*/{model}/{instance}"):
        for folder in logs.glob(_plain(name)):
            if (folder / TEST_OUTPUT).is_file():
                found.append(folder / TEST_OUTPUT)
            elif (folder / INSTANCE_LOG).is_file():
                found.append(folder / INSTANCE_LOG)
    found += [file for kind in ("log", "txt") if (file := logs / f"{instance}.{kind}").is_file()]
    return list(dict.fromkeys(found))


def _plain(pattern: str) -> str:
    return re.sub(r"[\[\]?]", "?", pattern)


def _other_patch(log: Path, prediction: Prediction) -> bool:
    beside = log.parent / PATCH
    if log.name not in (TEST_OUTPUT, INSTANCE_LOG) or not beside.is_file():
        return False
    return patch_hash(beside.read_bytes().decode("utf-8", "surrogateescape")) != patch_hash(prediction.patch)


def _read(row: Row, prediction: Prediction, log: Path) -> dict[str, Any]:
    official = _official()
    instance_log = log.parent / INSTANCE_LOG if log.name in (TEST_OUTPUT, INSTANCE_LOG) else None
    told = instance_log.read_text(errors="replace") if instance_log and instance_log.is_file() else ""
    seconds = [float(text.replace("_", "")) for text in _RUNTIME.findall(told)]
    found: dict[str, Any] = {"test_seconds": seconds[-1] if seconds else None}
    text = log.read_text(encoding="utf-8", errors="replace")
    if official.APPLY_PATCH_FAIL in told or official.APPLY_PATCH_FAIL in text:
        return {**found, "reason": "patch_not_applied", "detail": _after(told or text, official.APPLY_PATCH_FAIL)}
    if re.search(r"Timeout error: .* exceeded", text) or official.TESTS_TIMEOUT in text:
        return {**found, "reason": "timeout"}
    if log.name == INSTANCE_LOG:
        cause = official.classify_logs(log)
        return {**found, "reason": "infrastructure" if cause else "no_test_output", "detail": cause[0] if cause else ""}
    try:
        spec = official.make_test_spec(row)
        body = official.get_eval_report(spec, prediction.as_json(), str(log), include_tests_status=True)
    except KeyError as error:
        parser = row.get("log_parser")
        raise InputError(f"no log parser {parser!r} ({error})", where=row["instance_id"], field="log_parser") from None
    report = body[prediction.instance_id]
    if not report["patch_successfully_applied"]:
        cause = str(report.get("infra_failure_reason", ""))
        return {**found, "reason": "infrastructure" if report["infra_failure"] else "no_test_output", "detail": cause}
    return {**found, **_of_tests(report)}


def _of_tests(report: dict[str, Any]) -> dict[str, Any]:
    status = report["tests_status"]
    passed = tuple(len(status[kind]["success"]) for kind in ("FAIL_TO_PASS", "PASS_TO_PASS"))
    failed_f, failed_p = (status[kind]["failure"] for kind in ("FAIL_TO_PASS", "PASS_TO_PASS"))
    reason: Reason
    if report["resolved"]:
        reason, named = "resolved", []
    elif failed_f:
        reason, named = ("partly_fixed" if passed[0] else "not_fixed"), failed_f
    else:
        reason, named = "broke_tests", failed_p
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return {
        "resolved": bool(report["resolved"]),
        "reason": reason,
        "passed": passed,
        "detail": ", ".join(named[:3]) + more,
    }


def _after(text: str, mark: str) -> str:
    lines = [line for line in text.split(mark, 1)[1].strip(":\n ").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:") or "FAILED" in line] or lines[:1]
    return "; ".join(errors[:2])[:200]


class _Official:
    """The functions of swebench 5 that are used here."""

    def __init__(self) -> None:
        from swebench.harness import constants, grading, infra_failure, utils

        self.APPLY_PATCH_FAIL, self.TESTS_TIMEOUT = constants.APPLY_PATCH_FAIL, constants.TESTS_TIMEOUT
        self.get_eval_report, self.make_test_spec = grading.get_eval_report, utils.make_test_spec
        self.classify_logs = infra_failure.classify_logs


_loaded: list[_Official] = []


def _official() -> _Official:
    if not _loaded:
        check_version()
        _loaded.append(_Official())
    return _loaded[0]


def check_version() -> str:
    """The version of swebench that is installed.

    Raises:
        InputError: it is missing, or older than 5.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("swebench")
    except PackageNotFoundError:
        raise InputError("swebench is not installed", fix=INSTALL) from None
    if int(found.split(".")[0]) < 5:
        raise InputError(f"swebench {found} has another schema and harness", fix=INSTALL + " (5.x)")
    return found
