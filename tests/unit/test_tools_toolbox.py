"""The toolbox: what the agent is told, approvals, secrets, limits. With a small unprotected runner for processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hybrid_agent.tools.redact import redact
from hybrid_agent.tools.sandbox import Completed
from hybrid_agent.tools.toolbox import OUT_CAP, LocalToolbox
from hybrid_agent.types import CallPolicy, CommandCheck, ExistsCheck, Observation, ToolCall, Verdict


@dataclass
class Runner:
    """Runs processes right here; remembers how it was asked to."""

    workspace: Path
    asked: list[tuple[float, bool]] = field(default_factory=list)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 8.0,
        env: Mapping[str, str] | None = None,
        writable: bool = True,
    ) -> Completed:
        self.asked.append((timeout_s, writable))
        begun = time.monotonic()
        try:
            done = subprocess.run(argv, input=stdin, cwd=self.workspace, capture_output=True, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return Completed(137, "", "", 1.0, timed_out=True, killed_by="wall")
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return Completed(done.returncode, out, err, (time.monotonic() - begun) * 1000)

    def close(self) -> None:
        pass


class Kit:
    """A toolbox on a fresh workspace, and short ways to use it."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.folder = root / "w"
        self.folder.mkdir()
        self.runner = Runner(self.folder)
        self.box = LocalToolbox(self.folder, root / "state", self.runner, **options)

    def __call__(self, tool: str, **args: Any) -> Observation:
        return self.box.execute(ToolCall(tool=tool, args=args))


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def test_file_operations_and_what_they_say(kit: Kit) -> None:
    said = [
        kit("fs", op="write", path="a/b.txt", text="one\n"),
        kit("fs", op="append", path="a/b.txt", text="two\n"),
        kit("fs", op="read", path="/workspace/a/b.txt"),
        kit("fs", op="mkdir", path="c/d"),
        kit("fs", op="copy", path="a", to="c/d"),
        kit("fs", op="move", path="a/b.txt", to="c"),
        kit("fs", op="copy", path="c/b.txt", to="c/e.txt"),
        kit("fs", op="chmod", path="c/e.txt", mode="640"),
        kit("fs", op="stat", path="c/e.txt"),
        kit("fs", op="link", path="l", to="c/e.txt"),
        kit("fs", op="stat", path="l"),
        kit("fs", op="list", path="c"),
        kit("fs", op="find", path=".", name="*.txt"),
    ]
    assert all(seen.ok for seen in said), [seen.stderr for seen in said]
    assert [seen.stdout for seen in said] == [
        "wrote a/b.txt",
        "appended to a/b.txt",
        "one\ntwo\n",
        "made c/d/",
        "copied to c/d/a",
        "moved to c/b.txt",
        "copied to c/e.txt",
        "mode of c/e.txt is 640",
        "file mode 640 size 8",
        "linked l -> c/e.txt",
        "link -> c/e.txt",
        "b.txt\nd/\ne.txt\n",
        "c/b.txt\nc/d/a/b.txt\nc/e.txt\n",
    ]
    assert said[0].changed == ("a", "a/b.txt") and said[0].artifacts == ("a/b.txt",)
    assert said[5].changed == ("a/b.txt", "c/b.txt") and said[2].changed == ()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"op": "read", "path": "nope"}, "nope: no such file or folder"),
        ({"op": "read", "path": "d"}, "d: is a folder"),
        ({"op": "read", "path": "bin"}, "binary file"),
        ({"op": "list", "path": "f"}, "not a folder"),
        ({"op": "write", "path": "f/x", "text": ""}, "not a folder"),
        ({"op": "write", "path": "d", "text": ""}, "is a folder"),
        ({"op": "mkdir", "path": "d"}, "already exists"),
        ({"op": "copy", "path": "f", "to": "g"}, "g: already exists"),
        ({"op": "copy", "path": "f", "to": "no/g"}, "no: no such folder"),
        ({"op": "copy", "path": "d", "to": "d/in"}, "is inside"),
        ({"op": "move", "path": "f", "to": "g"}, "g: already exists"),
        ({"op": "move", "path": "f", "to": "f"}, "already exists"),
        ({"op": "move", "path": "nope", "to": "x"}, "no such file"),
        ({"op": "copy", "path": ".", "to": "x"}, "workspace folder itself"),
        ({"op": "link", "path": "f", "to": "g"}, "already exists"),
        ({"op": "stat", "path": "nope"}, "no such file"),
        ({"op": "chmod", "path": "nope", "mode": "644"}, "no such file"),
        ({"op": "remove", "path": "nope"}, "no such file"),
        ({"op": "remove", "path": "."}, "workspace folder itself"),
        ({"op": "write", "path": "n" * 300, "text": ""}, "name is too long"),
    ],
)
def test_failures_are_observations_that_name_the_path(tmp_path: Path, args: dict[str, Any], message: str) -> None:
    kit = Kit(tmp_path, approve="auto")
    (kit.folder / "d").mkdir()
    (kit.folder / "f").write_text("x")
    (kit.folder / "g").write_text("y")
    (kit.folder / "bin").write_bytes(b"\0\1")
    seen = kit("fs", **args)
    assert not seen.ok and message in seen.stderr and str(tmp_path) not in seen.stderr
    assert (kit.folder / "g").read_text() == "y" and seen.changed == ()


def test_editor_applies_all_edits_or_none(kit: Kit) -> None:
    (kit.folder / "f").write_text("a\nb\n")
    seen = kit("editor", path="f", edits=[{"op": "append", "text": "c"}, {"op": "delete", "find": "zzz"}])
    assert not seen.ok and "edit 2" in seen.stderr and "nothing was changed" in seen.stderr
    assert (kit.folder / "f").read_text() == "a\nb\n" and seen.changed == ()
    assert kit("editor", path="f", edits=[{"op": "replace", "find": "b", "text": "x"}]).changed == ("f",)


def test_processes_report_exit_time_limit_and_output(kit: Kit) -> None:
    seen = kit("shell", cmd="echo out; echo err >&2; exit 3")
    assert (seen.ok, seen.exit_code, seen.stdout, seen.stderr) == (False, 3, "out\n", "err\n")
    assert kit("exec_code", lang="python", code="print(6 * 7)").stdout == "42\n"
    call = ToolCall(tool="shell", args={"cmd": "sleep 5"}, policy=CallPolicy(timeout_s=0.2))
    assert "stopped after 0.2 s" in kit.box.execute(call).stderr
    call = ToolCall(tool="shell", args={"cmd": "true"}, policy=CallPolicy(allow_network=True))
    assert kit.box.execute(call).denied == "network"


def test_commands_that_only_look_get_no_write_access_and_no_snapshot(kit: Kit) -> None:
    kit("shell", cmd="ls | wc -l")
    assert kit.runner.asked[-1][1] is False and kit.box.snapshots.list() == []
    kit("shell", cmd="touch x")
    assert kit.runner.asked[-1][1] is True and len(kit.box.snapshots.list()) == 1


def test_long_output_is_cut_with_a_mark_and_host_paths_are_gone(kit: Kit) -> None:
    seen = kit("shell", cmd="seq 1 20000")
    assert len(seen.stdout) < OUT_CAP + 100 and "characters cut]" in seen.stdout
    assert seen.stdout.startswith("1\n2\n") and seen.stdout.endswith("20000\n")
    seen = kit("shell", cmd="pwd; echo $PWD/a/b; ls /workspace/nope")
    assert str(kit.folder) not in seen.stdout + seen.stderr and "a/b\n" in seen.stdout


def test_odd_bytes_become_valid_text(kit: Kit) -> None:
    (kit.folder / os.fsdecode(b"\xff\xfe")).mkdir()
    for seen in (kit("fs", op="list", path="."), kit("shell", cmd="ls"), kit("fs", op="find", path=".", name="*")):
        seen.model_dump_json().encode()
    assert kit.box.files() == ("\\xff\\xfe/",)


def test_listing_is_capped_sorted_and_hides_git(kit: Kit) -> None:
    for path in ("b/c/d/e/f", ".git/objects/aa", "a"):
        (kit.folder / path).mkdir(parents=True)
    (kit.folder / "z.txt").touch()
    assert kit.box.files() == (".git/", "a/", "b/", "b/c/", "b/c/d/", "z.txt")
    for number in range(100):
        (kit.folder / "a" / f"{number:03}").touch()
    files = kit.box.files()
    assert len(files) == 60 and list(files) == sorted(files) and "z.txt" in files


def test_plan_steps_are_done_by_their_checks(kit: Kit) -> None:
    kit("plan", op="set", steps=["make x", "make y"])
    seen = kit("plan", op="done", check={"kind": "exists", "path": "x"})
    assert not seen.ok and "x: does not exist" in seen.stderr and kit.box.plan.index == 0
    kit("fs", op="write", path="x", text="")
    assert kit("plan", op="done", check={"kind": "command", "cmd": "test -f x"}).ok and kit.box.plan.index == 1


def test_ask_needs_somebody(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert "nobody" in Kit(tmp_path / "a")("ask", question="which?").stderr
    assert Kit(tmp_path / "b", answer=lambda question: question.upper())("ask", question="which?").stdout == "WHICH?"


@pytest.mark.parametrize(
    ("options", "runs", "approval"),
    [
        ({}, False, "refused"),
        ({"approve": "deny"}, False, "refused"),
        ({"approve": "auto"}, True, "granted"),
        ({"approve": "deny", "allow_destructive": True}, True, "granted"),
        ({"approve": "ask"}, False, "refused"),
        ({"approve": "ask", "ask": lambda call, verdict: True}, True, "granted"),
        ({"approve": "ask", "ask": lambda call, verdict: False}, False, "refused"),
    ],
)
def test_approval_of_destructive_calls(tmp_path: Path, options: dict[str, Any], runs: bool, approval: str) -> None:
    kit = Kit(tmp_path, **options)
    (kit.folder / "f").write_text("x")
    call = ToolCall(tool="shell", args={"cmd": "rm f"})
    verdict = kit.box.check(call)
    assert (verdict.allow, verdict.approval, verdict.destructive) == (runs, approval, True)
    seen = kit.box.execute(call)
    assert seen.ok == runs and (kit.folder / "f").exists() != runs
    if not runs:
        assert seen.denied == "shell.rm" and "rm removes f" in seen.stderr


def test_a_person_is_asked_once_for_check_and_execute(tmp_path: Path) -> None:
    questions: list[str] = []

    def ask(call: ToolCall, verdict: Verdict) -> bool:
        questions.append(verdict.reason)
        return True

    kit = Kit(tmp_path, approve="ask", ask=ask)
    call = ToolCall(tool="fs", args={"op": "remove", "path": "f"})
    (kit.folder / "f").touch()
    kit.box.check(call)
    assert kit.box.execute(call).ok and len(questions) == 1
    (kit.folder / "f").touch()
    assert kit.box.execute(call).ok and len(questions) == 2  # an approval is used up


def test_hazards_are_denied_whatever_is_approved(tmp_path: Path) -> None:
    kit = Kit(tmp_path, approve="auto", allow_destructive=True)
    seen = kit("shell", cmd="sudo ls")
    assert seen.denied == "hazard.privilege" and kit.runner.asked == []
    assert kit("nope", x=1).denied == "schema"
    assert kit("fs", op="read").denied == "schema"


def test_replacing_the_persons_file_is_destructive_replacing_ones_own_is_not(kit: Kit) -> None:
    (kit.folder / "theirs").write_text("x")
    assert kit("shell", cmd="echo a > theirs").denied == "shell.overwrite"
    assert kit("shell", cmd="echo a > mine").ok
    assert kit("shell", cmd="echo b > mine").ok


def test_checks_run_in_one_process(kit: Kit) -> None:
    results = kit.box.verify([ExistsCheck(path="a"), CommandCheck(cmd="true"), CommandCheck(cmd="echo hi; false")])
    assert [result.ok for result in results] == [False, True, False]
    assert len(kit.runner.asked) == 1 and 'exit status 1: "hi"' in results[2].detail


def _made(prefix: str, length: int, alphabet: str = "a1B2c3D4e5") -> str:
    return prefix + (alphabet * length)[:length]


SECRETS: list[Callable[[], str]] = [
    lambda: "-----BEGIN RSA " + "PRIVATE KEY-----\nabc\ndef\n-----END RSA " + "PRIVATE KEY-----",
    lambda: _made("AKIA", 16, "ABCD1234"),
    lambda: _made("ghp_", 36),
    lambda: _made("sk-", 40),
    lambda: _made("xoxb-", 24),
    lambda: _made("eyJ", 20) + "." + _made("eyJ", 20) + "." + _made("", 30),
    lambda: _made("hf_", 34),
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_cut_out(secret: Callable[[], str]) -> None:
    text = redact(f"before {secret()} after")
    assert secret() not in text and text.startswith("before [secret]") and text.endswith("after")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("API_KEY=abc123def456", "API_KEY=[secret]"),
        ('"db_password": "hunter2hunter2"', '"db_password": "[secret]"'),
        ("export AWS_SECRET_ACCESS_KEY='Zm9vYmFy1234'", "export AWS_SECRET_ACCESS_KEY='[secret]'"),
        ("Authorization: Bearer abcDEF123456ghi789", "Authorization: Bearer [secret]"),
        ("postgres://user:pa55word@host/db", "postgres://user:[secret]@host/db"),
    ],
)
def test_values_of_secret_names_are_cut_out(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "token = parse(line1)",
        "tokens: 12",
        "password: ",
        "http://localhost:8080/a@b",
        "secret garden",
        "api_key = None",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_secrets_reach_neither_observation_nor_audit(kit: Kit) -> None:
    key = _made("ghp_", 36)
    kit("fs", op="write", path="f", text=key)
    seen = [kit("fs", op="read", path="f"), kit("shell", cmd="cat f; cat f >&2"), kit("shell", cmd=f"echo {key} > g")]
    state = kit.folder.parent / "state"
    stored = "".join((state / name).read_text() for name in ("audit.jsonl", "revert.sh"))
    assert key not in "".join(observation.model_dump_json() for observation in seen) + stored
    assert (kit.folder / "f").read_text() == key
