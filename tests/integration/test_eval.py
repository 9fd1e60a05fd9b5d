"""Evaluation through the real commands: judged in the sandbox, resumable, honest about trouble."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_process import ROOT, call, done, environment, finish, hear_ctrl_c, plan, small_pack, wait_for

from eval.episode import EpisodeSettings, run_task
from eval.goals import read_goals
from eval.pool import GOLD, run_tasks
from eval.result import read_results
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.packs.store import read_tasks
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.types import AbsentCheck, EqualsCheck, SetupItem, Task, ToolCall

FAST = EpisodeSettings(sandbox="session")


def task(**changes: object) -> Task:
    base: dict[str, object] = {
        "id": "t", "pack": "os", "family": "f", "template": "t", "intents": ("i",), "split": "val",
        "goal": "write hi to a.txt", "checks": (EqualsCheck(path="a.txt", text="hi"),), "gold": (), "max_steps": 8,
    }  # fmt: skip
    return Task.model_validate({**base, **changes})


def script(*calls: dict[str, object]) -> ScriptedDecoder:
    return ScriptedDecoder([json.dumps(each) for each in calls])


def run(name: str, *args: str, cwd: Path, packs: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(cwd), "AGENT_DATA": packs}
    argv = [sys.executable, "-m", name, *args]
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


def test_the_judge_decides_not_the_agent() -> None:
    lie = [
        plan("write hi"),
        call("fs", op="write", path="b.txt", text="hi"),
        done(kind="exists", path="b.txt"),
        finish(),
    ]
    result = run_task(task(), script(*lie), FAST)
    assert (result.verified, result.success, result.infra) == (True, False, False)
    assert [check.check.split()[0] for check in result.failed_checks] == ["equals"]
    modest = [call("fs", op="write", path="a.txt", text="hi"), finish("unsure", "?")]
    result = run_task(task(), script(*modest), FAST)
    assert (result.verified, result.success, result.turns) == (False, True, 2)
    assert len(result.segment_ms) == len(result.tool_ms) == 2


def test_destructive_calls_only_where_the_task_asks() -> None:
    setup = (SetupItem(path="old.txt", text="x"), SetupItem(path="keep.txt", text="y"))
    remove = ToolCall(tool="fs", args={"op": "remove", "path": "old.txt"})
    steal = [call("fs", op="remove", path="keep.txt"), call("fs", op="remove", path="old.txt"), finish("failed", "")]
    peaceful = run_task(task(setup=setup), script(*steal), FAST)
    assert (peaceful.denied, peaceful.destructive, peaceful.destructive_outside) == (2, 0, 0)
    asked = task(
        setup=setup, goal="delete old.txt", destructive=True, checks=(AbsentCheck(path="old.txt"),), gold=(remove,)
    )
    greedy = run_task(asked, script(*steal), FAST)
    assert (greedy.denied, greedy.destructive, greedy.destructive_outside) == (0, 2, 1)
    assert greedy.success


def test_slow_and_broken_episodes() -> None:
    slow = run_task(task(), script(call("shell", cmd="sleep 7")), EpisodeSettings(timeout_s=1.0))
    assert (slow.status, slow.success, slow.infra) == ("timeout", False, False)
    broken = run_task(task(setup=(SetupItem(run="exit 3"),)), script(finish()), FAST)
    assert (broken.infra, broken.success) == (True, False)
    invalid = run_task(task(), script(call("fs", op="write"), call("no_such_tool"), finish("failed", "")), FAST)
    assert (invalid.invalid, invalid.turns) == (2, 3)


def test_a_dead_worker_costs_nothing(tmp_path: Path) -> None:
    tasks = read_tasks(Path(small_pack(tmp_path, val=10)) / "os" / "tasks.jsonl")
    results = []
    for result in run_tasks(tasks, GOLD, FAST, workers=2):
        if not results:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            workers = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            os.kill(workers[0], signal.SIGKILL)
        results.append(result)
    assert sorted(result.task_id for result in results) == sorted(task.id for task in tasks)
    assert all(result.success and not result.infra for result in results)


def test_run_reports_and_resumes(tmp_path: Path) -> None:
    packs = small_pack(tmp_path, val=2, test_names=3, test_paraphrase=1)
    first = run("eval.run", "suite=os", "decoder=gold", "workers=2", "--json", cwd=tmp_path, packs=packs)
    assert first.returncode == 0, first.stderr
    body = json.loads(first.stdout.splitlines()[-1])
    assert (body["success"], body["n"], body["complete"]) == (1.0, 4, True)
    assert {name: split["success"]["n"] for name, split in body["splits"].items()} == {
        "test_names": 3,
        "test_paraphrase": 1,
    }
    attempt = tmp_path / "runs" / "eval" / "os" / "001"
    assert read_manifest(attempt).metrics["success"] == 1.0
    results = read_results(attempt / "results.jsonl")
    assert all((attempt / "traces" / result.trace).is_file() for result in results.values())

    page = (attempt / "report.html").read_text()
    assert page.count("<svg") == 4
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert "prefers-color-scheme:dark" in page
    assert "#010203" not in page

    again = run("eval.run", "suite=os", "decoder=gold", "split=test_names", "--json", cwd=tmp_path, packs=packs)
    assert "3 of 3 tasks were done before" in again.stderr
    assert json.loads(again.stdout)["n"] == 3
    assert read_manifest(attempt.with_name("002")).attempt == 2
    other = run("eval.run", "suite=os", "decoder=gold", "split=val", "seed=5", "--json", cwd=tmp_path, packs=packs)
    assert "done before" not in other.stderr
    assert json.loads(other.stdout)["n"] == 2


def test_ctrl_c_keeps_what_is_finished(tmp_path: Path) -> None:
    packs = small_pack(tmp_path, val=40)
    argv = [sys.executable, "-m", "eval.run", "suite=os", "decoder=gold", "split=val", "workers=2"]
    env = {**environment(tmp_path), "AGENT_DATA": packs}
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True, preexec_fn=hear_ctrl_c)
    stored = tmp_path / "runs" / "eval" / "os" / "001" / "results.jsonl"
    wait_for(lambda: len(read_results(stored)) >= 3, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "what is finished is kept" in out
    assert "Traceback" not in err
    kept = read_results(stored)
    assert 3 <= len(kept) < 40
    assert not any(result.infra for result in kept.values())
    assert (stored.parent / "report.html").is_file()
    assert not (stored.parent / "manifest.json").exists()
    more = run(
        "eval.run", "suite=os", "decoder=gold", "split=val", f"limit={len(kept)}", "--json", cwd=tmp_path, packs=packs
    )
    assert re.search(r"\d+ of \d+ tasks were done before", more.stderr), more.stderr


def test_every_suite_and_the_matrix(tmp_path: Path) -> None:
    packs = small_pack(tmp_path, test_names=2, test_composition=1)
    for group in ("suite", "hybrid", "fanout", "tracking"):
        (tmp_path / "configs" / group).mkdir(parents=True)
    for name in ("eval.yaml", "suite/os.yaml", "hybrid/auto.yaml", "fanout/local.yaml", "tracking/local.yaml"):
        (tmp_path / "configs" / name).write_text((ROOT / "configs" / name).read_text())
    env = {**environment(tmp_path), "AGENT_DATA": packs, "HYBRID_AGENT_CONFIGS": str(tmp_path / "configs")}
    argv = [sys.executable, "-m", "eval.eval_suite", "decoder=gold", "workers=1", "--json"]
    ended = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    body = json.loads(ended.stdout.splitlines()[-1])
    assert (body["success"], list(body["suites"])) == (1.0, ["os"])
    for part in ("suite", "test_names", "test_composition", "100.0 %"):
        assert part in ended.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["suite=oss"], "did you mean 'os'"),
        (["split=test_nmes"], "did you mean 'test_names'"),
        (["family=no_such_family", "split=val"], "no family 'no_such_family'"),
        (["decoder=tny"], "did you mean 'tiny'"),
        (["split=train"], "training tasks are not stored"),
    ],
)
def test_bad_settings_are_one_line_and_exit_2(tmp_path: Path, args: list[str], says: str) -> None:
    ended = run("eval.run", *args, cwd=tmp_path, packs=small_pack(tmp_path, val=1, test_names=1))
    assert ended.returncode == 2
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_replay_is_green_and_one_red_check_fails_it(tmp_path: Path) -> None:
    packs = small_pack(tmp_path, val=3)
    green = run("eval.packs_replay", "--fast", "--workers", "1", cwd=tmp_path, packs=packs)
    assert green.returncode == 0, green.stdout
    assert "3 gold traces replayed" in green.stdout
    path = Path(packs) / "os" / "tasks.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1]["checks"].append({"kind": "exists", "path": "never.txt"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    red = run("eval.packs_replay", "--fast", "--workers", "1", "--json", cwd=tmp_path, packs=packs)
    assert red.returncode == 1
    body = json.loads(red.stdout.splitlines()[-1])
    assert list(body["red"]) == [lines[1]["id"]]
    assert "never.txt" in red.stderr


SOLUTIONS = {
    "shopping": "echo 'oat milk and rye bread' > groceries.txt",
    "project": "mkdir holiday-plans; echo 'train 120 hotel 300' > holiday-plans/budget.md",
    "rename": "mv draft_v2.md final-report.md",
    "settings": "sed -i s/8080/8443/ config.json; jq -r .server.host config.json > host.txt",
    "warnings": "grep WARN app.log > warnings.txt",
    "counting": "wc -l < visitors.csv > total.txt",
    "replace": "sed -i s/colour/color/g style-guide.txt",
    "backup": "tar czf photos-2024.tar.gz photos",
    "script": "chmod +x deploy.sh; ./deploy.sh > deploy.out",
    "sorted": "sort -u guests.txt > guests-sorted.txt",
    "link": "ln -s release-7 current",
    "private": "chmod 600 secrets.env",
    "git": "cd website && git commit -qam 'update the footer'",
    "yaml": "sed -i 's/pool: 10/pool: 25/' settings.yaml",
    "cleanup": "rm archive/*.bak",
    "find": "find exports -name '*.csv' > found.txt",
}


def test_demo_goals_can_be_reached_and_not_by_doing_nothing() -> None:
    goals = read_goals()
    assert len(goals) >= 12
    assert len({goal.family for goal in goals}) >= 12
    assert {goal.id for goal in goals} == set(SOLUTIONS)
    for goal in goals:
        idle = run_task(goal.task(), script(finish("failed", "")), FAST)
        assert not idle.infra, idle.summary
        assert not idle.success, goal.id
        solved = run_task(goal.task(), script(call("shell", cmd=SOLUTIONS[goal.id]), finish("failed", "")), FAST)
        assert solved.success, (goal.id, solved.failed_checks, solved.summary)
