"""The command line as people meet it: real processes, the real sandbox, scripted replies instead of a model."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_process import ROOT, Cli, call, done, environment, finish, picture, plan, small_pack, wait_for

from hybrid_agent.traces.reader import read_trace

WRITE = (
    plan("create a.txt"),
    call("fs", op="write", path="a.txt", text="hello"),
    done(kind="equals", path="a.txt", text="hello"),
    finish(),
)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with what is easily lost: modes, links, empty folders, a nested repository."""
    folder = tmp_path / "project"
    (folder / "src" / "empty").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("print('hi')\n")
    (folder / "run.sh").write_text("#!/bin/sh\nexit 0\n")
    (folder / "run.sh").chmod(0o750)
    (folder / "latest").symlink_to("src/main.py")
    subprocess.run(["git", "init", "-q", str(folder / "vendor")], check=True)
    return folder


def test_help_of_every_command_needs_no_torch(cli: Cli) -> None:
    code = (
        "import sys\nfrom hybrid_agent.cli.main import app\n"
        "for words in ([], ['run'], ['rollback'], ['trace'], ['runs'], ['tasks'], ['doctor']):\n"
        "    try:\n        app([*words, '--help'])\n"
        "    except SystemExit as end:\n        assert end.code == 0, words\n"
        "heavy = {'torch', 'transformers', 'hydra', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment(cli.home), cwd=cli.cwd, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    for word in ("rollback", "--approve", "--workspace", "doctor"):
        assert word in ended.stdout


def test_verified_run_on_a_fresh_folder(cli: Cli) -> None:
    ended = cli("run", "create a.txt with hello", "--decoder", cli.script(*WRITE))
    assert ended.returncode == 0, ended.stderr
    run = cli.run_dir()
    assert (run / "workspace" / "a.txt").read_text() == "hello"
    assert str(run / "workspace") in ended.stdout
    assert list(cli.cwd.iterdir()) == []
    trace = read_trace(run / "trace.jsonl")
    assert (trace.result, len(trace.steps), trace.tests.passed) == ("success", 4, 1)
    assert trace.provenance["decoder"].startswith("script:")
    assert trace.env == {"sandbox": "bubblewrap", "approve": "deny"}
    for part in ("create a.txt", "fs write", "verify: equals", "done and verified", f"rollback {run.name}"):
        assert part in ended.stdout


def test_json_is_one_object_and_nothing_else(cli: Cli) -> None:
    ended = cli("run", "g", "--json", "--decoder", cli.script(*WRITE))
    body = json.loads(ended.stdout)
    assert body["success"] is True
    assert body["verified"] is True
    assert Path(body["workspace"], "a.txt").is_file()
    assert read_trace(Path(body["trace"])).run_id == body["run_id"]


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ((finish("unsure", "which file?"),), "not sure: which file?"),
        ((finish("failed", "no such thing"),), "not done: no such thing"),
        ((finish("done", "trust me"),), "not sure"),
        (("this is no call",), "not done"),
        (
            (plan("a"), call("fs", op="write", path="a", text="x"), done(kind="exists", path="b"), finish()),
            "unverified",
        ),
    ],
)
def test_exit_1_unless_the_agent_verified_its_work(cli: Cli, calls: tuple[str, ...], says: str) -> None:
    ended = cli("run", "g", "--decoder", cli.script(*calls), "--max-steps", "6", "--attempts", "1")
    assert ended.returncode == 1, ended.stderr
    assert says in ended.stdout
    assert read_trace(cli.run_dir() / "trace.jsonl").result in ("fail", "partial")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "  "], "the goal is empty"),
        (["run", "g", "--workspace", "/no/such"], "mkdir -p /no/such"),
        (["run", "g", "--workspace", "/"], "home folder"),
        (["run", "g", "--workspace", "/etc"], "belongs to the system"),
        (["run", "g", "--workspace", "/var/tmp"], "belongs to the system"),
        (["run", "g", "--workspace", "HOME"], "home folder"),
        (["run", "g", "--workspace", str(ROOT)], "own source"),
        (["run", "g", "--workspace", str(ROOT.parent)], "use a folder of its own"),
        (["run", "g", "--workspace", "HOME/.local"], "records of runs"),
        (["run", "g", "--workspace", "HOME/file"], "not a folder"),
        (["run", "g", "--decoder", "tny"], "did you mean 'tiny'"),
        (["run", "g", "--decoder", "hf:/no/such"], "save_pretrained"),
        (["run", "g", "--decoder", "openai:localhost"], "not a URL"),
        (["run", "g", "--decoder", "script:HOME/file"], "not JSON"),
        (["run", "g", "--approve", "ask"], "--approve"),
        (["rollback", "last"], "no runs yet"),
        (["trace", "nothing"], "no runs yet"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(cli: Cli, args: list[str], says: str) -> None:
    (cli.home / "file").write_text("x")
    (cli.home / ".local").mkdir()
    ended = cli(*[arg.replace("HOME", str(cli.home)) for arg in args])
    assert ended.returncode == 2, ended.stderr
    assert says in ended.stderr
    assert "fix: " in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "args", [["run"], ["run", "g", "--approve", "maybe"], ["nothing"], ["run", "g", "--seed", "x"]]
)
def test_wrong_usage_is_exit_2(cli: Cli, args: list[str]) -> None:
    ended = cli(*args)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_same_command_as_a_module(cli: Cli) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hybrid_agent.run_agent", "g", "--quiet", "--decoder", cli.script(*WRITE)],
        env=environment(cli.home),
        cwd=cli.cwd,
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (0, "done and verified: all checks passed\n"), ended.stderr


DESTROY = (
    plan("remove src"),
    call("fs", op="remove", path="src"),
    done(kind="absent", path="src"),
    finish(),
)


def test_unattended_runs_do_not_destroy(cli: Cli, project: Path) -> None:
    before = picture(project)
    ended = cli("run", "g", "--workspace", str(project), "--decoder", cli.script(*DESTROY), "--max-steps", "4")
    assert ended.returncode == 1
    assert "denied" in ended.stdout
    assert picture(project) == before


def test_rollback_brings_everything_back(cli: Cli, project: Path) -> None:
    before = picture(project)
    ended = cli(
        "run", "g", "--workspace", str(project), "--approve", "auto", "--decoder",
        cli.script(
            plan("remove src", "write b", "change modes"),
            call("fs", op="remove", path="src"),
            done(kind="absent", path="src"),
            call("fs", op="write", path="new/b.txt", text="b"),
            done(kind="exists", path="new/b.txt", type="file"),
            call("shell", cmd="chmod 600 run.sh; rm -rf vendor/.git latest; ln -s run.sh latest"),
            done(kind="link", path="latest", target="run.sh"),
            finish(),
        ),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not (project / "src").exists()
    middle = [step.snapshot for step in read_trace(cli.run_dir() / "trace.jsonl").steps if step.snapshot]
    assert len(middle) == 3

    part = cli("rollback", "last", "--to", middle[1])
    assert part.returncode == 0, part.stderr
    assert not (project / "src").exists()
    assert not (project / "new").exists()
    assert (project / "vendor" / ".git").is_dir()

    whole = cli("rollback", cli.run_dir().name[:12])
    assert whole.returncode == 0, whole.stderr
    assert picture(project) == before

    wrong = cli("rollback", "last", "--to", "999999")
    assert wrong.returncode == 2
    assert middle[0] in wrong.stderr


def test_kill_leaves_a_readable_trace_and_a_workspace_that_can_be_restored(cli: Cli, project: Path) -> None:
    before = picture(project)
    process = cli.start(
        "run", "g", "--workspace", str(project), "--approve", "auto", "--decoder",
        cli.script(
            plan("break things", "wait"),
            call("fs", op="remove", path="src"),
            done(kind="absent", path="src"),
            call("shell", cmd="rm -rf vendor/.git; chmod 600 run.sh; touch half; sleep 50; touch whole"),
        ),
    )  # fmt: skip
    wait_for((project / "half").exists, process)
    refused = cli("rollback", "last")
    assert (refused.returncode, "still going" in refused.stderr) == (2, True)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    trace = read_trace(cli.run_dir() / "trace.jsonl")
    assert trace.result is None
    assert [step.ok for step in trace.steps] == [True, True, True]
    assert "killed" in cli("runs").stdout
    shown = cli("trace", "last")
    assert "fs remove" in shown.stdout
    assert "killed before its end" in shown.stdout
    restored = cli("rollback", "last")
    assert restored.returncode == 0, restored.stderr
    assert picture(project) == before
    time.sleep(0.3)
    assert picture(project) == before  # nothing of the killed run is left that could go on writing


def test_ctrl_c_ends_the_trace_and_says_how_to_undo(cli: Cli) -> None:
    process = cli.start("run", "g", "--decoder", cli.script(plan("wait"), call("shell", cmd="touch started; sleep 50")))
    wait_for(lambda: any(cli.runs.glob("*/workspace/started")), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    run = cli.run_dir()
    assert f"hybrid-agent rollback {run.name}" in out
    trace = read_trace(run / "trace.jsonl")
    assert trace.result == "partial"
    assert len(trace.steps) == 1


def test_a_server_that_is_away_is_no_failure_of_the_agent(cli: Cli) -> None:
    ended = cli("run", "g", "--decoder", "openai:http://127.0.0.1:9/v1")
    assert ended.returncode == 3
    assert "127.0.0.1:9" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert read_trace(cli.run_dir() / "trace.jsonl").result == "infra_failure"


def test_secrets_are_not_stored(cli: Cli) -> None:
    secret = "ghp_" + "a1B2" * 10
    calls = (
        plan("write"),
        call("fs", op="write", path="a.txt", text=secret),
        call("shell", cmd="cat a.txt"),
        finish("unsure"),
    )
    cli("run", f"store {secret}", "--decoder", cli.script(*calls))
    trace = (cli.run_dir() / "trace.jsonl").read_text()
    assert secret not in trace
    assert "[secret]" in trace
    assert (cli.run_dir() / "workspace" / "a.txt").read_text() == secret


def test_runs_and_trace_find_a_run_by_prefix(cli: Cli) -> None:
    for _ in range(2):
        assert cli("run", "make a.txt", "--decoder", cli.script(*WRITE)).returncode == 0
    names = sorted(path.name for path in cli.runs.iterdir())
    rows = json.loads(cli("runs", "--json").stdout)
    assert [(row["run_id"], row["result"], row["steps"]) for row in rows] == [(name, "success", 4) for name in names]
    assert json.loads(cli("trace", names[0], "--json").stdout)["run_id"] == names[0]
    assert json.loads(cli("trace", "last", "--json").stdout)["run_id"] == names[1]
    ambiguous = cli("trace", names[0][:4])
    assert ambiguous.returncode == 2
    assert "2 runs start with" in ambiguous.stderr
    table = cli("trace", "last").stdout
    for part in ("make a.txt", "verify: equals", "success", "1. create a.txt"):
        assert part in table


def test_output_cannot_drive_the_terminal(cli: Cli) -> None:
    script = cli.script(
        plan("look"), call("shell", cmd="printf '\\033]0;owned\\007\\033[2Jhi'"), finish("failed", "\x1b[31mred")
    )
    ended = cli("run", "g \x1b[5m", "--decoder", script)
    shown = ended.stdout + cli("trace", "last").stdout + cli("runs").stdout
    assert "\x1b" not in shown
    assert "\\x1b" in shown


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, False), ("n\n", 1, True), ("\n", 1, True)])
def test_a_person_is_asked_before_something_is_destroyed(
    cli: Cli, project: Path, answer: str, code: int, left: bool
) -> None:
    args = cli.argv("run", "g", "--workspace", str(project), "--max-steps", "4", "--decoder", cli.script(*DESTROY))
    master, slave = pty.openpty()
    env = {**environment(cli.home), "TERM": "xterm"}
    process = subprocess.Popen(args, cwd=cli.cwd, env=env, stdin=slave, stdout=slave, stderr=slave, close_fds=True)
    os.close(slave)
    shown, answered, until = b"", False, time.monotonic() + 40
    while time.monotonic() < until:
        if select.select([master], [], [], 0.2)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                break  # the other end is closed
            if not data:
                break
            shown += data
        if not answered and b"[y/N]" in shown:
            os.write(master, answer.encode())
            answered = True
    os.close(master)
    assert process.wait(timeout=20) == code, shown.decode(errors="replace")
    assert answered
    assert b"fs remove path=src" in shown
    assert (project / "src").exists() is left


def test_doctor_reports_the_sandbox(cli: Cli) -> None:
    found = {row["name"]: row for row in json.loads(cli("doctor", "--json").stdout)}
    assert found["sandbox"]["ok"], found["sandbox"]
    assert found["python"]["ok"]


def test_tasks_lists_packs_families_and_single_tasks(cli: Cli, tmp_path: Path) -> None:
    packs = small_pack(tmp_path, val=3, test_names=2)
    assert json.loads(cli("tasks", "--json", AGENT_DATA=packs).stdout) == {"os": {"test_names": 2, "val": 3}}
    families = json.loads(cli("tasks", "os", "--json", AGENT_DATA=packs).stdout)
    assert sum(sum(counts.values()) for counts in families.values()) == 5
    goals = json.loads(cli("tasks", sorted(families)[0], "--json", AGENT_DATA=packs).stdout)
    task_id, goal = next(iter(goals.items()))
    shown = cli("tasks", task_id, AGENT_DATA=packs).stdout
    for part in (goal, "checks:", "gold:", "plan: "):
        assert part in shown


@pytest.mark.parametrize(
    ("name", "says"),
    [("so", "did you mean os"), ("os/no-such-thing", "use one of"), ("os-val-99", "did you mean os-val-")],
)
def test_unknown_tasks_name_the_nearest(cli: Cli, tmp_path: Path, name: str, says: str) -> None:
    ended = cli("tasks", name, AGENT_DATA=small_pack(tmp_path, val=2))
    assert (ended.returncode, says in ended.stderr) == (2, True), ended.stderr
