"""A part stays in force only if it solves more validation tasks than it loses, and settings of idle parts are idle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from eval.stored import same_agent
from eval.worth import Try, command, judge
from hybrid_agent.assemble.decoders import bundle_folder, parse_decoder
from hybrid_agent.assemble.hybrid import make_hybrid
from hybrid_agent.assemble.parts import find_parts
from hybrid_agent.cli.exits import program
from hybrid_agent.config.hybrid import HybridConfig, Overrides
from hybrid_agent.config.load import load_config
from hybrid_agent.config.worth import WorthConfig
from hybrid_agent.decoder.checkpoint import load_checkpoint
from hybrid_agent.decoder.shaping import WIDTH, Shaper
from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import adapter_of, write_adapter
from hybrid_agent.runs.manifest import read_manifest
from hybrid_agent.types import Budget, Control, Window
from train.aoe_adapters import new_adapter
from train.export import NAMES, export

WINDOW = Window(goal="make a folder called docs", phase="step", steps=("make a folder called docs",))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped decoder, planner and scorer with an expert that spoils every call and a shaping that does nothing."""
    root = tmp_path_factory.mktemp("worth")
    model, tokenizer = load_checkpoint(bundle_folder() / "decoder")
    torch.manual_seed(0)
    peft = new_adapter(model, 4, 400, 0)
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    for name in ("generalist", "shell", "editor", "python", "config"):
        write_adapter(adapter_of(peft), root / "experts" / name, torch.float32)
    plain, _ = load_checkpoint(bundle_folder() / "decoder")
    shaper = Shaper.for_model(plain, tokenizer)
    shaper.steering = torch.zeros(shaper.steering.shape[0], WIDTH)
    shaper.save(root / "shaping", {"alpha": 0.0})
    none = {name: "none" for name in NAMES if name not in ("scorer", "planner", "hybrid")}
    parts = none | {"experts": str(root / "experts"), "shaping": str(root / "shaping")}
    export(str(bundle_folder()), parts, dest=root / "bundle")
    return root / "bundle"


def spec(bundle: Path, **settings: object):
    chosen = Overrides.model_validate(settings)
    return find_parts(parse_decoder(f"hf:{bundle}"), HybridConfig(set=chosen))


def test_parts_that_are_not_in_force_are_not_used(bundle: Path) -> None:
    both = spec(bundle, route=True, alpha=0.5)
    assert {"experts", "shaping"} <= set(both.parts)
    neither = spec(bundle, route=False, alpha=0.0)
    assert not {"experts", "shaping"} & set(neither.parts)
    assert same_agent(both) != same_agent(neither) == same_agent(spec(bundle, route=False, alpha=0.0, depth=3))
    # It says who wrote only where somebody else might have.
    control = Control(expert_prior={"shell": 1.0})
    assert make_hybrid(both).decoder.propose(WINDOW, Budget(), control)[0].expert == "shell"
    assert make_hybrid(neither).decoder.propose(WINDOW, Budget(), control)[0].expert is None


def test_how_candidates_are_drawn_makes_another_agent(bundle: Path) -> None:
    decoder = parse_decoder(f"hf:{bundle}")
    ways = [find_parts(decoder, HybridConfig(draw=draw)) for draw in ("rename", "branch", "sample")]
    assert len({same_agent(way) for way in ways}) == 3


def test_what_loses_tasks_is_left_out(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [f"decoder=hf:{bundle}", f"out={tmp_path}", "tasks.os=4", "~tasks.code", "workers=1"]
    for _ in range(2):  # the second time nothing is run
        with pytest.raises(SystemExit) as ended:
            program(command, [*said, "--json"])
        assert not ended.value.code
        body = json.loads(capsys.readouterr().out.splitlines()[-1])
        experts, shaping = body["tries"]
        assert experts["runs"] == 4 and experts["lost"] > experts["won"] and not experts["kept"]
        assert (shaping["won"], shaping["lost"], shaping["kept"]) == (0, 0, False)
        assert shaping["interval"][0] < 0 < shaping["interval"][1]
        rules = json.loads((Path(body["folder"]) / "hybrid.json").read_text())
        assert rules["route"] is False and rules["alpha"] == 0
        assert {"experts", "shaping", "decoder"} <= set(read_manifest(Path(body["folder"])).parents)


def test_a_try_that_changes_nothing_is_refused(bundle: Path, tmp_path: Path) -> None:
    said = [f"decoder=hf:{bundle}", f"out={tmp_path}", "tasks.os=1", "~tasks.code", "workers=1"]
    config = load_config("worth", [*said, "~tries.experts", "tries.shaping={alpha: 0}"], WorthConfig)
    with pytest.raises(InputError, match="changes nothing") as error:
        judge(config, Console(quiet=True))
    assert error.value.field == "tries.shaping"


def test_ties_are_not_kept() -> None:
    assert Try("x", 10, 5, 6, 2, 1, (-0.1, 0.3)).kept
    assert not Try("x", 10, 5, 5, 1, 1, (-0.2, 0.2)).kept
