"""From switches and folders to a hybrid: what is found, what is missing, and an episode with every kind of part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cli_process import call, done, finish, plan

from eval.episode import EpisodeSettings, run_task
from hybrid_agent.agent.select import SelectOptions, Selector
from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.hybrid import Hybrid, make_hybrid
from hybrid_agent.assemble.parts import find_parts, hybrid_hash
from hybrid_agent.assemble.presets import preset
from hybrid_agent.assemble.priors import RelativePlanner
from hybrid_agent.config.hybrid import TUNED, HybridConfig, Overrides, Thresholds
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InputError
from hybrid_agent.planner.schedule import Scheduler
from hybrid_agent.types import Control, EqualsCheck, Score, Segment, Task, Window

TINY = parse_decoder("tiny")
SERVER = parse_decoder("openai:http://127.0.0.1:9")


class Fond:
    """Likes every call."""

    def score(self, window: Window, candidates: Sequence[Segment]) -> Sequence[Score]:
        return [Score(energy=0.0, p=0.9) for _ in candidates]


class Weary:
    """Risk grows with every call until it is reset."""

    resets = 0

    def __init__(self) -> None:
        self.seen = 0

    def reset(self) -> None:
        self.resets += 1
        self.seen = 0

    def step(self, window: Window) -> Control:
        self.seen += 1
        return Control(risk=min(1.0, self.seen / 3), tool_prior={"fs": 0.5, "shell": 0.5})


def test_without_parts_auto_is_greedy_and_on_names_the_command() -> None:
    spec = find_parts(SERVER, HybridConfig())
    assert (spec.mode, dict(spec.parts)) == ("greedy", {})
    with pytest.raises(InputError, match="STAGE=ebm") as error:
        find_parts(SERVER, preset("energy4"))
    assert error.value.field == "hybrid.scorer"
    with pytest.raises(InputError, match="did you mean 'greedy'"):
        preset("gredy")


def test_parts_come_from_beside_the_decoder_or_from_where_one_says(tmp_path: Path) -> None:
    base, other = tmp_path / "base", tmp_path / "other"
    for folder in (base / "decoder", base / "scorer", base / "planner", other):
        folder.mkdir(parents=True)
    (base / "decoder" / "config.json").write_text("{}")
    (base / TUNED).write_text(Thresholds(tau_p=0.77).model_dump_json())
    decoder = parse_decoder(f"hf:{base}")
    spec = find_parts(decoder, HybridConfig())
    assert (spec.mode, spec.rules.tau_p) == ("adaptive", 0.77)
    assert dict(spec.parts) == {"scorer": base / "scorer", "planner": base / "planner"}
    assert str(spec) == "adaptive (scorer+planner)"
    off = find_parts(decoder, HybridConfig(planner="off"), {"scorer": str(other)})
    assert dict(off.parts) == {"scorer": other}
    before = hybrid_hash(spec)
    (base / "scorer" / "config.json").write_text("{}")
    assert hybrid_hash(spec) != before
    with pytest.raises(InputError, match="STAGE=hrm") as error:
        find_parts(decoder, HybridConfig(), {"planner": "hrm/none"}, tmp_path / "runs")
    assert error.value.field == "planner"


def test_free_form_and_greedy_decoders_are_made_as_asked() -> None:
    hybrid = make_hybrid(find_parts(TINY, preset("logprob4")))
    assert (hybrid.budget.k, hybrid.budget.temperature > 0, hybrid.scheduler) == (4, True, None)
    assert hybrid.select.rank == "logprob" and hybrid.decoder.options.greedy_first  # type: ignore[attr-defined]
    config = HybridConfig(mode="adaptive", constrained=False, draft="off", experts="off", shaping="off")
    hybrid = make_hybrid(find_parts(TINY, config))
    assert hybrid.scheduler is not None
    options = hybrid.decoder.options  # type: ignore[attr-defined]
    assert (options.constrained, options.greedy_first, options.threads) == (False, False, 1)


def test_a_sampled_policy_draws_one_call_that_the_seed_decides() -> None:
    wild = preset("sampled").model_copy(update={"set": Overrides(temperature=5.0)})
    hybrid = make_hybrid(find_parts(TINY, wild))
    assert (hybrid.budget.k, hybrid.budget.temperature, hybrid.scheduler, hybrid.scorer) == (1, 5.0, None, None)
    window = Window(goal="make the folder out", phase="step", steps=("make the folder out",))

    def drawn(seed: int) -> list[str]:
        budget = hybrid.budget.model_copy(update={"seed": seed})
        found = Selector(hybrid.decoder, options=hybrid.select, budget=budget).choose(window, Control())
        return [candidate.text for candidate in found.candidates]

    texts = [drawn(seed) for seed in range(4)]
    assert all(len(each) == 1 for each in texts) and len({each[0] for each in texts}) > 1
    assert drawn(2) == texts[2]


def test_a_relative_prior_says_what_is_unusual() -> None:
    class Plain:
        def step(self, window: Window) -> Control:
            return Control(tool_prior={"fs": 0.6, "shell": 0.4})

    prior = RelativePlanner(Plain(), {"fs": 0.9, "shell": 0.1}).step(Window(goal="g")).tool_prior
    assert prior["shell"] == pytest.approx(4 / (4 + 0.6 / 0.9))
    assert RelativePlanner(Plain(), {}).step(Window(goal="g")).tool_prior == {"fs": 0.6, "shell": 0.4}


def test_an_episode_with_every_kind_of_part_is_told_in_its_result() -> None:
    task = Task(
        id="t", pack="os", family="f", template="t", intents=("i",), split="val", goal="write hi to a.txt",
        checks=(EqualsCheck(path="a.txt", text="hi"),), gold=(),
    )  # fmt: skip
    calls = [plan("write hi"), call("fs", op="write", path="a.txt", text="hi"), done(kind="exists", path="a.txt")]
    script = ScriptedDecoder([json.dumps(each) for each in (*calls, finish())])
    planner = Weary()
    hybrid = Hybrid(script, Fond(), planner, Scheduler(Thresholds(tau_risk=0.9, k_base=1, k_max=2)), SelectOptions())
    result = run_task(task, hybrid, EpisodeSettings(sandbox="session"))
    # From the third call on the risk is 1, so two candidates are asked for; the script gives the next call instead.
    assert planner.resets == 1
    assert result.ks[:3] == (1, 1, 2)
    assert (result.overruled, result.vetoed, result.early) == (0, 0, 0)
    greedy = run_task(
        task,
        replace(hybrid, decoder=ScriptedDecoder(script._texts), scheduler=None),
        EpisodeSettings(sandbox="session"),
    )
    assert greedy.success and set(greedy.ks) == {1}
