"""A stage that is watched: W&B down or slow, and the report on it in a real browser."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_agent.packs import words
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import Manifest, read_manifest, write_manifest
from hybrid_agent.runs.report import load_runs, write_report
from hybrid_agent.runs.report.chart import Line, chart, linear_ticks, log_ticks, thin
from hybrid_agent.runs.report.load import named_run
from hybrid_agent.runs.tracking.files import Files, read_entries
from hybrid_agent.traces.window_text import as_json, render_turns
from hybrid_agent.types import Window

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "</td><script>document.title='owned'</script><img src=x onerror=alert(1)>"
SMALL = [
    "stage.corpus=null",
    "stage.optim.batch_tokens=512",
    "stage.val_share=0.1",
    "stage.length.max_minutes=null",
    "stage.length.max_steps=6",
    "stage.length.log_every=1",
    "stage.length.eval_every=3",
    "model.d_model=32",
    "model.heads=2",
    "model.layers=2",
    "model.d_mlp=64",
    "model.vocab_size=512",
    "profile.ranks=1",
    "profile.threads=1",
    "+profile.peak_tflops=0.05",
]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def sequences(path: Path) -> Path:
    rng = random.Random(0)
    with path.open("w") as out:
        for _ in range(60):
            window = Window(goal="g", phase="step", steps=(f"show the files {rng.choice(words.TRAIN)}",), files=("x",))
            for pieces in render_turns([(window, '{"tool":"fs","args":{"op":"list","path":"x"}}')]):
                out.write(json.dumps({**as_json(pieces), "kind": "list"}) + "\n")
    return path


def test_a_stage_finishes_although_wandb_hangs(tmp_path: Path, silent_server: str) -> None:
    pytest.importorskip("wandb")
    data = sequences(tmp_path / "sequences.jsonl")
    tracking = ["tracking=wandb", "tracking.mode=online", "tracking.patience_s=6"]
    command = [sys.executable, "-m", "train.run", "stage=sft", f"stage.data={data}", *SMALL, f"runs={tmp_path}/runs"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "300"}
    env |= {"WANDB_BASE_URL": silent_server, "WANDB_API_KEY": "a" * 40, "HOME": str(tmp_path)}
    done = subprocess.run([*command, *tracking], env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "warning: W&B" in done.stderr
    folder = find_run(tmp_path / "runs", "sft/tiny")
    manifest, entries = read_manifest(folder), read_entries(folder)
    assert {"metrics.jsonl", "tables/samples.json"} <= set(manifest.files)
    steps = [entry for entry in entries if "loss" in entry]
    assert [entry["step"] for entry in steps] == [1, 2, 3, 4, 5, 6]
    assert all(entry["grad_norm"] > 0 and entry["tokens_s"] > 0 and 0 < entry["mfu"] < 1 for entry in steps)
    report = tmp_path / "report.html"
    (run,) = write_report([folder], report)
    assert {"loss", "val_loss", "grad_norm", "mfu", "exact"} <= set(run.series) and run.config["model/d_model"] == 32
    assert "first choices" in report.read_text() and "data:image/png" in report.read_text()


@pytest.fixture
def two_runs(tmp_path: Path) -> list[Path]:
    """One finished with all that a page has to show, one that is still running."""
    runs = tmp_path / "runs"
    child, parent, live = (runs / name for name in ("ebm/tiny/001", "sft/tiny/001", "ebm/tiny/002"))
    for folder in (child, parent, live):
        folder.mkdir(parents=True)
    write_manifest(parent, Manifest(stage="sft", name="tiny"), [])
    digest = file_hash(parent / "manifest.json")
    for folder, pace in ((child, 1.0), (live, 0.7)):
        files = Files(folder)
        for step in range(1, 1001):
            files.log(step, {"loss": 3 * pace / step, "grad_norm": 1 + pace / step, "odd figure": step % 7})
        files.log(1000, {"ece/shell": 0.02 * pace, "ece/code": 0.03, "loss": float("nan") if pace == 1 else 0.1})
        files.table("samples", ["goal", "p"], [[HOSTILE, 0.5], ["line one\nline two", None]])
    (live / "config.json").write_text(json.dumps({"stage": {"name": "ebm"}, "seed": 1, "name": HOSTILE}))
    config = {"stage": {"name": "ebm"}, "seed": 0, "name": "tiny"}
    body = Manifest(stage="ebm", name="tiny", config=config, parents={"decoder": digest, "lost": "f" * 64})
    write_manifest(child, body.model_copy(update={"metrics": {"auc": {"shell": 0.91}}}), ["metrics.jsonl"])
    return [child, live]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)")
def test_the_report_opens_in_a_browser_with_its_plots(two_runs: list[Path], tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    out, troubles = tmp_path / "report.html", []
    command = [sys.executable, "-m", "hybrid_agent.cli", "report", "ebm/tiny/001", str(two_runs[1])]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [*command, "--out", str(out), "--runs-dir", str(tmp_path / "runs")],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert made.returncode == 0, made.stderr
    shots = Path(os.environ.get("HYBRID_AGENT_SCREENSHOTS", tmp_path))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        papers = {}
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1150, "height": 900}, color_scheme=scheme)
            page.set_default_timeout(600_000)
            page.on("console", lambda message: troubles.append(message.text))
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.on("request", lambda request: request.url == out.as_uri() or troubles.append(request.url))
            page.goto(out.as_uri())
            assert page.title() == "2 runs compared"
            plots = page.locator("figure.chart")
            titles = plots.locator("figcaption").all_inner_texts()
            assert {"Loss", "Gradient norm", "Calibration error (ECE) of each head", "odd figure"} <= set(titles)
            assert page.locator("figure.chart polyline").count() >= 6
            boxes = [plots.nth(n).locator("svg[role=img]").bounding_box() for n in range(plots.count())]
            assert all(box and box["width"] > 200 and box["height"] > 80 for box in boxes)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            papers[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
            page.screenshot(path=shots / f"report-{scheme}.png")
        assert papers["light"] != papers["dark"]
        text = page.inner_text("body")
        assert HOSTILE in text and "not finished" in text and str(tmp_path / "runs" / "sft" / "tiny" / "001") in text
        browser.close()
    assert not troubles


def test_a_run_is_found_by_what_people_call_it(two_runs: list[Path], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert named_run(runs, "ebm/tiny") == two_runs[1] and named_run(runs, "ebm/tiny/001") == two_runs[0]
    done = subprocess.run(
        [sys.executable, "-m", "hybrid_agent.cli", "report", "ebm/huge", "--runs-dir", str(runs)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 2 and "ebm/tiny" in done.stderr
    finished, _ = load_runs(two_runs)
    assert finished.figures == {"auc/shell": 0.91} and [bool(p.where) for p in finished.parents] == [True, False]


def test_lines_keep_their_extremes_and_axes_are_round() -> None:
    points = [(float(n), float(n == 5000)) for n in range(10_000)]
    kept = thin(points)
    assert len(kept) <= 402 and (5000.0, 1.0) in kept and kept == sorted(kept) and kept[-1] == points[-1]
    assert linear_ticks(0.0, 97.0) == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    assert linear_ticks(3.0, 3.0)[0] == 0.0 and linear_ticks(0.0, 0.0)[-1] == 1.0
    for low, high in ((0.003, 2.0), (1.0, 1.0), (5e-7, 4e3), (0.9, 1.1)):
        ticks = log_ticks(low, high)
        assert ticks[0] <= low and ticks[-1] >= high and len(ticks) <= 12
    assert chart("t", [Line("a", [(1.0, float("nan"))])]) == ""
    drawn = chart("t", [Line("a", [(1.0, 0.0), (2.0, 5.0)])], log=True)
    assert "polyline" not in drawn and "circle" in drawn
