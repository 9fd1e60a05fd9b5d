"""The pipeline makes what is missing, leaves alone what is complete, and exports all of it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from rich.console import Console

from hybrid_agent.config.load import load_config
from hybrid_agent.config.pipeline import PipelineConfig
from hybrid_agent.decoder.bundle import load_bundle, part_sizes
from hybrid_agent.errors import InputError
from hybrid_agent.packs import words
from hybrid_agent.runs.layout import attempts
from hybrid_agent.traces.window_text import as_json, render_turns
from hybrid_agent.types import Window
from train.pipeline import Failed, main, plan, run
from train.pipeline_steps import Steps

SMALL = [
    "model.d_model=48",
    "model.heads=4",
    "model.layers=2",
    "model.d_mlp=96",
    "model.vocab_size=512",
    "profile.ranks=1",
    "profile.threads=1",
    "stage.optim.batch_tokens=1024",
    "stage.val_share=0.1",
    "stage.length.max_minutes=null",
    "stage.length.max_steps=2",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "sequences.jsonl"
    rng = random.Random(0)
    with path.open("w") as out:
        for _ in range(80):
            window = Window(goal="g", phase="step", steps=(f"list {rng.choice(words.TRAIN)}",), files=("x",))
            for pieces in render_turns([(window, '{"tool":"fs","args":{"op":"list","path":"x"}}')]):
                out.write(json.dumps({**as_json(pieces), "kind": "list"}) + "\n")
    return path


def config(data: Path, root: Path, **more: object) -> PipelineConfig:
    base = ["stage=sft", "runs={runs}", f"stage.data={data}", "stage.corpus=null", *SMALL]
    steps = {
        "sft": {"module": "train.run", "made": "sft/{name}", "arguments": [*base, "name={name}"], "minutes": 60},
        "draft": {
            "module": "train.run",
            "made": "sft/{name}-draft",
            "arguments": [*base, "name={name}-draft", "stage.tokenizer={sft}", "seed=1"],
            "parents": {"tokenizer": "sft"},
            "part": "draft",
            "minutes": 12,
        },
        "export": {"module": "train.export", "made": "bundle"},
    }
    profile = load_config("pipeline", [], PipelineConfig).profile
    body = {"profile": profile, "runs": str(root), "dest": str(root / "bundle"), "steps": steps}
    return PipelineConfig.model_validate(body | more)


def doing(wanted: PipelineConfig) -> dict[str, str]:
    return {each.name: each.doing for each in plan(wanted)}


def test_all_of_it_and_again(data: Path, tmp_path: Path) -> None:
    wanted, console = config(data, tmp_path), Console(stderr=True)
    assert doing(wanted) == {"sft": "run", "draft": "run", "export": "run"}
    run(wanted, console, "python -m train.pipeline")
    assert list(part_sizes(tmp_path / "bundle")) == ["decoder", "lexicon.json", "draft"]
    manifest = load_bundle(tmp_path / "bundle").manifest
    assert manifest.command == "python -m train.pipeline"
    assert manifest.metrics["parts"]["draft"]["run"] == "sft/tiny-draft/001"

    assert doing(wanted) == {"sft": "complete", "draft": "complete", "export": "run"}
    run(wanted, console, "python -m train.pipeline")
    assert len(attempts(tmp_path, "sft", "tiny")) == 1
    assert load_bundle(tmp_path / "bundle").manifest == manifest

    # Other settings: that stage and what follows from it.
    steps = {name: step.model_dump() for name, step in wanted.steps.items()}
    steps["draft"]["arguments"] = [*steps["draft"]["arguments"][:-1], "seed=2"]
    assert doing(config(data, tmp_path, steps=steps)) == {"sft": "complete", "draft": "run", "export": "run"}
    # The same settings, but a parent that was made again.
    anew = config(data, tmp_path, anew=("sft",), until="sft")
    assert doing(anew) == {"sft": "run", "draft": "skipped", "export": "skipped"}
    run(anew, console, "")
    assert len(attempts(tmp_path, "sft", "tiny")) == 2
    assert doing(wanted) == {"sft": "complete", "draft": "run", "export": "run"}


def test_a_failing_stage_stops_it_and_names_itself(data: Path, tmp_path: Path) -> None:
    steps = {name: step.model_dump() for name, step in config(data, tmp_path).steps.items()}
    steps["sft"]["arguments"] = [*steps["sft"]["arguments"], "stage.init=sft/none", "profile.device=cpu"]
    with pytest.raises(Failed, match="sft") as failed:
        run(config(data, tmp_path, steps=steps), Console(stderr=True), "")
    assert failed.value.code == 2
    assert not (tmp_path / "bundle").exists()


def test_parts_of_a_plan(data: Path, tmp_path: Path) -> None:
    assert doing(config(data, tmp_path, until="sft")) == {"sft": "run", "draft": "skipped", "export": "skipped"}
    with pytest.raises(InputError, match="draft needs sft"):
        plan(config(data, tmp_path, start="draft"))
    with pytest.raises(InputError, match="draft needs sft"):
        plan(config(data, tmp_path, skip=("sft",)))
    assert doing(config(data, tmp_path, skip=("draft",))) == {"sft": "run", "draft": "skipped", "export": "run"}
    with pytest.raises(ValueError, match="no step 'sfd'"):
        config(data, tmp_path, skip=("sfd",))


def test_the_shipped_plan_is_whole() -> None:
    shipped = load_config("pipeline", ["runs=nowhere"], PipelineConfig)
    steps = Steps(shipped)
    order = list(shipped.steps)
    for name in order:
        assert all(order.index(need) < order.index(name) for need in steps.needs(name)), name
        assert set(shipped.steps[name].parents.values()) <= set(steps.needs(name)), name
    parts = {step.part for step in shipped.steps.values() if step.part}
    from train.export import NAMES

    assert parts == set(NAMES)
    said = doing(shipped)
    assert said.pop("rl") == "skipped" and set(said.values()) == {"run"}


def test_the_command_plans_without_doing(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([f"runs={tmp_path}", "until=gate", "skip=[aoe]", "--dry-run"]) == 0
    said = capfd.readouterr().err
    assert "about" in said and "minutes" in said and "after until" in said
    assert not list(tmp_path.iterdir())
    assert main([f"runs={tmp_path}", "from=ebm", "--dry-run"]) == 2
    assert "ebm needs" in capfd.readouterr().err
