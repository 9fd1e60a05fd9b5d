"""What is sent to a W&B server, by `wandb sync`, by an online run and by the dashboard; a stand-in server takes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.wandb_server import environment, wandb_server

pytest.importorskip("wandb")
ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
from hybrid_agent.runs.tracking import open_tracker
settings = {"stage": {"name": "ebm", "hidden": 64}}
with open_tracker(Path(sys.argv[1]), stage="ebm", name="ebm/tiny/001", config=settings, warn=print, to=["wandb"],
                  mode=sys.argv[2], patience_s=3000) as tracker:
    for step in range(1, 41):
        tracker.mirror().log(step, {"step": step, "loss": 1 / step})
    tracker.log(40, {"ece/shell": 0.02})
    tracker.table("samples", ["goal", "p"], [["sort a.txt", 0.5]])
    tracker.summary({"auc": {"shell": 0.9}})
"""


def run(code: list[str], folder: Path, more: dict[str, str]) -> str:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder), **more}
    done = subprocess.run([sys.executable, *code], env=env, cwd=folder, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_an_offline_run_is_taken_by_wandb_sync(tmp_path: Path) -> None:
    with wandb_server() as server:
        assert run(["-c", RUN, str(tmp_path), "offline"], tmp_path, environment(server)) == ""
        assert not server.operations  # offline is offline, key or no key
        runs = [str(path) for path in tmp_path.glob("wandb/offline-run-*")]
        said = run(["-m", "wandb", "sync", *runs], tmp_path, environment(server))
        assert "Finished syncing" in said
        assert server.values("loss") == [(step, 1 / step) for step in range(1, 41)]
        assert server.values("ece/shell") == [(40, 0.02)] and server.exit_codes == [0]
        (table,) = (data for name, data in server.files.items() if "media/table/tables/samples" in name)
        assert json.loads(table) == {"columns": ["goal", "p"], "data": [["sort a.txt", 0.5]]}
        assert json.loads(server.files["wandb-summary.json"])["auc/shell"] == 0.9
        assert any(given.get("displayName") == "ebm/tiny/001" for _, given in server.operations)


def test_an_online_run_arrives_while_it_runs(tmp_path: Path) -> None:
    with wandb_server() as server:
        said = run(["-c", RUN, str(tmp_path), "online"], tmp_path, environment(server))
        assert "cannot be reached" not in said and "failed" not in said
        assert server.values("loss") == [(step, 1 / step) for step in range(1, 41)]
        assert server.exit_codes == [0] and not list(tmp_path.glob("wandb/offline-run-*"))


def test_the_dashboard_is_sent_only_when_asked(tmp_path: Path) -> None:
    pytest.importorskip("wandb_workspaces")
    command = ["-m", "hybrid_agent.runs.dashboard", "--entity", "me", "--project", "tiny"]
    with wandb_server() as server:
        printed = run(command, tmp_path, environment(server))
        assert not server.operations and "chartTitle" in printed
        run([*command, "--publish"], tmp_path, environment(server))
        (sent,) = (given for name, given in server.operations if "UpsertView2" in name)
        assert (sent["entityName"], sent["projectName"]) == ("me", "tiny") and "Veto hits" in sent["spec"]
