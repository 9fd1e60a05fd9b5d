"""Trackers: what is kept always, what a bad one may not do, and the dashboard's definition."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from eval.metrics import summarize
from eval.result import TaskResult
from eval.watch import figures, log_progress
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.runs.tracking import Tracker, open_tracker
from hybrid_agent.runs.tracking.backend import plain
from hybrid_agent.runs.tracking.files import read_entries, read_tables, written
from hybrid_agent.runs.tracking.guard import Guarded
from hybrid_agent.runs.tracking.panels import SECTIONS
from tests.integration.offline_runs import read_offline

PANELS = [panel for panels in SECTIONS.values() for panel in panels]


class Told:
    """A backend that writes down what it is told."""

    def __init__(self, go_on=None, fails_at=None):
        self.calls, self.go_on, self.fails_at, self.closed = [], go_on, fails_at, False

    def log(self, step, values):
        if step == self.fails_at:
            raise ConnectionError("the line is dead")
        if self.go_on is not None:
            self.go_on.wait()
        self.calls.append((step, dict(values)))

    def table(self, name, columns, rows):
        self.calls.append((name, columns, rows))

    def image(self, name, path):
        self.calls.append((name, path))

    def summary(self, values):
        self.calls.append(values)

    def close(self):
        self.closed = True


def opened(folder, *to, patience_s=3000.0, **more):
    warned = []
    about = {"stage": "sft", "name": "sft/tiny/001", "config": {"lr": 0.1, "stage": {"rank": 8}}}
    tracker = open_tracker(folder, warn=warned.append, to=to, patience_s=patience_s, **about, **more)
    return tracker, warned


def test_everything_is_in_plain_files_whoever_else_is_told(tmp_path):
    tracker, warned = opened(tmp_path)
    with tracker:
        tracker.log(3, {"loss": 0.5, "ece/shell": 0.01})
        tracker.table("samples", ["goal", "ok"], [["sort a.txt", True], ["naïve", None]])
        tracker.mirror().log(4, {"loss": 0.4})  # an engine writes this one itself
    assert read_entries(tmp_path) == [{"step": 3, "loss": 0.5, "ece/shell": 0.01}]
    (table,) = read_tables(tmp_path)
    assert (table.name, table.rows) == ("samples", (("sort a.txt", True), ("naïve", None)))
    assert written(tmp_path) == ["metrics.jsonl", "tables/samples.json"] and not warned
    Tracker().log(1, {"loss": 1.0})  # another rank: nothing to write to, nobody to tell


def test_a_log_that_is_being_written_is_read_and_a_broken_one_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2}\n{"step": 2, "lo')
    assert read_entries(tmp_path) == [{"step": 1, "loss": 2}]
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\nnonsense\n{"step": 2}\n')
    with pytest.raises(InputError, match=r"metrics.jsonl:2"):
        read_entries(tmp_path)


def test_a_mirror_names_the_part_and_leaves_the_step_out():
    told = Told()
    Tracker(None, [told]).mirror("python/").log(7, {"step": 7, "loss": 0.5})
    assert told.calls == [(7, {"python/loss": 0.5})]


@pytest.mark.parametrize("make", [lambda: Told(fails_at=2), lambda: 1 / 0, lambda: sys.exit("no")])
def test_a_failing_backend_is_told_of_once_and_never_raises(make):
    warned = []
    guarded = Guarded("W&B", make, warned.append, patience_s=3000)
    for step in range(100):
        guarded.log(step, {"loss": 1.0})
    guarded.close()
    assert guarded.down and len(warned) == 1 and "the run goes on" in warned[0]


def test_a_table_that_is_not_taken_is_lost_alone():
    told, warned = Told(), []
    told.table = lambda *args: 1 / 0
    guarded = Guarded("W&B", lambda: told, warned.append, patience_s=3000)
    guarded.table("samples", ["a"], [[1]])
    guarded.log(1, {"loss": 1.0})
    guarded.close()
    assert told.calls == [(1, {"loss": 1.0})] and len(warned) == 1 and "table samples" in warned[0]


def test_a_slow_backend_is_not_waited_for():
    go_on, warned = threading.Event(), []
    told = Told(go_on)
    guarded = Guarded("slow", lambda: told, warned.append, patience_s=0.2, room=50)
    for step in range(200):
        guarded.log(step, {"loss": 1.0})
    guarded.close()
    assert not told.calls and len(warned) == 1 and "too slow" in warned[0]
    go_on.set()


def test_a_backend_that_never_ends_is_left_behind():
    forever, warned = threading.Event(), []
    told = Told()
    told.close = forever.wait
    guarded = Guarded("stuck", lambda: told, warned.append, patience_s=0.2)
    guarded.close()
    forever.set()
    assert len(warned) == 1 and "did not end" in warned[0]


def test_a_good_backend_gets_everything_in_order():
    told = Told()
    guarded = Guarded("good", lambda: told, lambda text: None, patience_s=3000)
    values = {"loss": 1.0}
    for step in range(50):
        values["loss"] = float(step)  # the caller may go on with its dict
        guarded.log(step, values)
    guarded.close()
    assert told.calls == [(step, {"loss": float(step)}) for step in range(50)] and told.closed


def test_nested_figures_become_one_level():
    assert plain({"a": {"b": [1, 2.5]}, "c": None, "p": Path("x")}) == {"a/b/0": 1, "a/b/1": 2.5, "c": None, "p": "x"}


def test_wandb_runs_are_written_offline_and_a_resumed_run_keeps_its_id(tmp_path):
    pytest.importorskip("wandb")
    for part in range(2):
        tracker, warned = opened(tmp_path, "wandb")
        with tracker:
            for step in (1, 2):
                tracker.mirror().log(2 * part + step, {"step": 2 * part + step, "loss": 1 / step})
            tracker.log(2 * part + 2, {"ece/shell": 0.02})
            tracker.table("samples", ["goal", "p"], [["sort", 1], ["count", "many"]])
            tracker.summary({"auc": {"shell": 0.9}, "seconds": 3})
        assert not warned
    first, second = read_offline(tmp_path)
    assert first.run_id == second.run_id and second.ended
    assert (first.project, first.job_type, first.name) == ("hybrid-agent", "sft", "sft/tiny/001")
    assert first.config["stage"] == {"rank": 8}
    assert first.series("loss") == [(1, 1.0), (2, 0.5)] and second.series("ece/shell") == [(4, 0.02)]
    assert second.summary["auc/shell"] == 0.9 and second.summary["tables/samples/nrows"] == 2


def test_wandb_where_it_cannot_write_is_warned_of(tmp_path):
    pytest.importorskip("wandb")
    (tmp_path / "wandb").write_text("in the way")
    tracker, warned = opened(tmp_path, "wandb")
    with tracker:
        tracker.log(1, {"loss": 1.0})
    assert len(warned) == 1 and "W&B failed" in warned[0] and read_entries(tmp_path)


def test_wandb_online_without_a_key_asks_nobody_and_is_kept_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    for name in ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    tracker, warned = opened(tmp_path, "wandb", mode="online")
    with tracker:
        tracker.log(1, {"loss": 1.0})
    assert len(warned) == 1 and "there is no key" in warned[0]
    assert read_offline(tmp_path)[0].series("loss") == [(1, 1.0)]


def test_tensorboard_gets_scalars_and_the_same_panels(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracker, warned = opened(tmp_path, "tensorboard")
    with tracker:
        tracker.log(5, {"loss": 0.25})
        tracker.table("samples", ["goal"], [["a | b\nc"]])
        tracker.summary({"auc": 0.9})
    assert not warned
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(5, 0.25)]
    assert {"summary/auc", "loss"} <= set(events.Tags()["scalars"])
    assert "custom_scalars__config__" in events.Tags()["tensors"]


def test_the_panels_show_what_is_logged():
    results = [
        TaskResult(
            task_id=str(n), pack="os", family="f", split="val", goal="g", success=n > 0, verified=True, status="done",
            experts={"shell": 3, "editor": 1}, drafted=20, accepted=15, ks=(1, 4), segment_ms=(10.0,), vetoed=n,
        )
        for n in range(4)
    ]  # fmt: skip
    found = figures(results)
    assert found["agent/success"] == 0.75 and found["agent/accept_rate"] == 0.75 and found["agent/vetoed"] == 6
    assert found["agent/routing/shell"] == 0.75 and summarize(results).vetoed == 6
    logged = {
        *found,
        "loss",
        "val_loss",
        "grad_norm",
        "tokens_s",
        "mfu",
        "ece/shell",
        "auc/code",
        "risk_ece",
        "gate_ece",
    }
    unseen = {name for name in logged if not any(panel.shows(name) for panel in PANELS)}
    assert unseen <= {"agent/early", "agent/masked", "agent/episode_p95_ms"}
    assert not any(panel.shows("agent/success_of_x") or panel.shows("closs") for panel in PANELS)


def test_progress_is_logged_at_a_bounded_number_of_points():
    told = Told()
    done = []
    for n in range(400):
        done.append(TaskResult(
            task_id=str(n), pack="os", family="f", split="val", goal="g", success=True, verified=True, status="done"
        ))  # fmt: skip
        log_progress(Tracker(None, [told]), done, 400)
    assert 40 <= len(told.calls) <= 60


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_dashboard_builds_without_a_network(monkeypatch, tmp_path, capsys):
    pytest.importorskip("wandb_workspaces")
    from hybrid_agent.runs import dashboard

    def refuse(*args):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    out = tmp_path / "dashboard.json"
    with pytest.raises(SystemExit) as ended:
        dashboard.main(["--out", str(out)])
    assert ended.value.code in (0, None)
    found = json.loads(out.read_text())
    sections = found["spec"]["section"]["panelBankConfig"]["sections"]
    titles = [p["config"].get("chartTitle") or "" for s in sections for p in s["panels"]]
    for wanted in ("Success", "p95", "Veto", "ECE", "Routing shares", "accepted share of drafted", "Loss", "MFU"):
        assert any(wanted in title for title in titles), wanted
    plots = [p["config"] for s in sections for p in s["panels"] if p["viewType"] == "Run History Line Plot"]
    assert all(p["xAxis"] == "step" and (p["metrics"] or re.compile(p["metricRegex"])) for p in plots)
    with pytest.raises(SystemExit) as ended:
        dashboard.main(["--publish"])
    assert ended.value.code == 2 and "--entity" in capsys.readouterr().err


@pytest.mark.parametrize("name, schema", [("train", TrainConfig), ("eval", EvalConfig)])
def test_the_config_says_who_is_told(name, schema, monkeypatch):
    monkeypatch.delenv("HYBRID_AGENT_TRACKING", raising=False)
    assert load_config(name, [], schema).tracking.to == ()
    chosen = load_config(name, ["tracking=wandb"], schema).tracking
    assert (chosen.to, chosen.mode, chosen.machine) == (("wandb",), "offline", False)
    with pytest.raises(InputError, match=r"tracking\.mode"):
        load_config(name, ["tracking.mode=onlin"], schema)
    monkeypatch.setenv("HYBRID_AGENT_TRACKING", "wandb")
    assert load_config(name, [], schema).tracking.to == ("wandb",)
    assert load_config(name, ["tracking=local"], schema).tracking.to == ()


def test_nothing_heavy_is_imported_to_open_a_tracker(tmp_path):
    code = (
        "import sys; from pathlib import Path; from hybrid_agent.runs.tracking import open_tracker;"
        f"t = open_tracker(Path({str(tmp_path)!r}), stage='s', name='n', config={{}}, warn=print); t.log(1, {{}});"
        "t.close(); import hybrid_agent.cli.report, hybrid_agent.runs.dashboard;"
        "print([m for m in ('torch', 'wandb', 'tensorboard', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}, timeout=60
    )
    assert done.stdout.strip() == "[]"
