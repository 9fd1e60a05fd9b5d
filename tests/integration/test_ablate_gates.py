"""The commands of ablation and gates on a few tasks: what is known is not run again, absent parts are no failure."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from rich.console import Console

from eval.ablate import ablate, store, variants_of
from eval.gates import command as gates
from eval.rollbacks import picture, roll_back
from eval.stored import stored
from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.cli.exits import program
from hybrid_agent.config.ablate import VARIANTS, AblateConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.packs.store import load_tasks
from hybrid_agent.runs.layout import attempts
from hybrid_agent.runs.manifest import read_manifest


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped decoder without any other part."""
    from train.export import NAMES, export

    dest = tmp_path_factory.mktemp("bare") / "bundle"
    export(str(bundle_folder()), dict.fromkeys(NAMES, "none"), dest=dest)
    return dest


def config(bare: Path, out: Path, *more: str) -> AblateConfig:
    said = [f"decoder=hf:{bare}", f"out={out}", "splits=[val]", "limit=1", "seeds=2", "workers=1", "resamples=100"]
    return load_config("ablate", [*said, *more], AblateConfig)


def test_without_parts_every_variant_can_be_run(bare: Path, tmp_path: Path) -> None:
    found = {variant.name: variant for variant in variants_of(config(bare, tmp_path))}
    assert tuple(found) == VARIANTS
    assert found["full"].note == "without scorer, planner, experts, draft, shaping, gate"
    for name, part in (("no_planner", "planner"), ("no_experts", "experts"), ("no_speculation", "draft")):
        assert found[name].note == f"same as full, {part} absent" and found[name].agent == found["full"].agent
    assert found["no_scorer"].note == "same as full, scorer absent"
    assert found["energy4"].note.startswith("same as") and not found["greedy"].drawn


def test_variants_are_run_once_and_compared(bare: Path, tmp_path: Path) -> None:
    chosen = config(bare, tmp_path, "variants=[no_planner,greedy]")
    done = ablate(chosen, Console(quiet=True))
    assert done.complete and [row.name for row in done.rows["val"]] == ["full", "no_planner", "greedy"]
    assert len(attempts(tmp_path, "eval", "os")) == 3  # full twice; greedy draws nothing; no_planner is full
    assert done.rows["val"][1].against["tokens"].value == 0
    assert done.results["greedy"].keys() == {0, 1}
    folder = store(done)
    assert set(read_manifest(folder).files) == {"report.json", "ablate.png"}
    again = ablate(chosen, Console(quiet=True))
    assert len(attempts(tmp_path, "eval", "os")) == 3
    assert again.as_json() == done.as_json()
    body = json.loads((folder / "report.json").read_text())
    assert body["rows"]["val"][2]["against"]["tokens"]["tasks"] == 1
    assert [gain["holds"] for gain in body["gains"]["val"]][1:] == [None] * 4


def test_gates_fail_below_their_level(bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["level=alpha", f"decoder=hf:{bare}", f"out={tmp_path}", "splits=[val]", "limit=1", "workers=1"]
    for _ in range(2):  # the second time nothing is evaluated
        with pytest.raises(SystemExit) as ended:
            program(gates, [*more, "rollbacks=2", "--json"])
        assert ended.value.code == 1
        body = json.loads(capsys.readouterr().out.splitlines()[-1])
        lines = {line["line"]: line for line in body["lines"]}
        assert body["passed"] is False and lines["scorer_auc"]["value"] is None
        assert lines["rollback"]["value"] == 1.0 and lines["rollback"]["reached"] == "prod"
        assert lines["os_success"]["value"] in (0.0, 1.0) and "val" in lines["os_success"]["basis"]
    assert len(attempts(tmp_path, "eval", "os")) == len(attempts(tmp_path, "eval", "code")) == 1
    from hybrid_agent.config.eval import EvalConfig

    known = load_config("eval", [f"decoder=hf:{bare}", f"out={tmp_path}", "split=val", "limit=2"], EvalConfig)
    assert len(stored(known).results) == 1 and not stored(known).complete


def test_rollbacks_of_random_episodes(tmp_path: Path) -> None:
    tasks = random.Random(0).sample(load_tasks("os", "val"), 5)
    assert str(roll_back(tasks, 4)).startswith("100.0 %")
    (tmp_path / "a").write_text("x")
    before = picture(tmp_path)
    (tmp_path / "a").chmod(0o600)
    assert picture(tmp_path) != before
