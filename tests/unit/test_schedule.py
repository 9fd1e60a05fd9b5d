"""The three rules of the scheduler, and where their thresholds come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from selection_parts import segment, write

from hybrid_agent.assemble.presets import preset
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.hybrid import TUNED, HybridConfig, Overrides, Thresholds, read_tuned, thresholds
from hybrid_agent.config.load import load_config
from hybrid_agent.errors import InputError
from hybrid_agent.planner.schedule import Scheduler
from hybrid_agent.types import Control

RULES = Thresholds(k_base=4, k_max=6, tau_entropy=0.3, tau_low=-0.5, tau_p=0.5, tau_risk=0.6, alpha=0.5)


@pytest.mark.parametrize(
    ("seen", "risk", "why", "k"),
    [
        ({"entropy": 0.1, "low": -0.1}, 0.0, "fast", 1),
        ({"entropy": 0.1, "low": -0.1, "p": 0.9}, 0.6, "fast", 1),
        ({"entropy": 0.1, "low": -0.1, "p": 0.4}, 0.0, "base", 4),
        ({"entropy": 0.4, "low": -0.1, "p": 0.9}, 0.0, "base", 4),
        ({"entropy": 0.1, "low": -0.6, "p": 0.9}, 0.0, "base", 4),
        ({"entropy": 0.1, "low": -0.1, "p": 0.9}, 0.61, "risk", 6),
    ],
)
def test_rules(seen: dict[str, float], risk: float, why: str, k: int) -> None:
    scheduler = Scheduler(RULES, draft=True)
    control = Control(risk=risk)
    schedule = scheduler.more(control, segment(write("a"), **seen))
    assert (schedule.why, schedule.k) == (why, k)
    assert schedule.speculate == scheduler.first(control).speculate == (why != "risk")
    assert schedule.deliberate == (why == "risk")
    assert (schedule.temperature > 0, schedule.expert_depth) == ((False, 1) if k == 1 else (True, 2))
    assert schedule.shaping == 0.5


def test_the_planner_may_ask_for_deliberation() -> None:
    schedule = Scheduler(RULES).more(Control(deliberate=True), segment(write("a")))
    assert (schedule.why, schedule.k) == ("risk", 6)
    heedless = Scheduler(RULES.model_copy(update={"heed": False}))
    assert heedless.more(Control(deliberate=True), segment(write("a"))).why == "fast"
    assert heedless.more(Control(deliberate=True, risk=0.9), segment(write("a"))).why == "risk"


def test_a_second_round_is_wider_but_bounded() -> None:
    scheduler = Scheduler(RULES)
    first = scheduler.first(Control())
    again = scheduler.again(first)
    assert (again.k, again.temperature) == (4, RULES.temperature_high)
    assert scheduler.again(again).k == 6


def test_without_a_draft_model_nothing_is_speculated() -> None:
    assert not Scheduler(RULES).first(Control()).speculate


def test_thresholds_by_hand_win_over_tuned_ones(tmp_path: Path) -> None:
    (tmp_path / TUNED).write_text(Thresholds(tau_entropy=0.11, k_base=3).model_dump_json())
    assert read_tuned(tmp_path).tau_entropy == 0.11
    found = thresholds(HybridConfig(set=Overrides(k_base=5)), tmp_path)
    assert (found.tau_entropy, found.k_base, found.tau_p) == (0.11, 5, Thresholds().tau_p)
    bare = thresholds(HybridConfig(veto=False, early_exit=False), tmp_path)
    assert (bare.veto_p, bare.margin) == (0.0, None)
    (tmp_path / TUNED).write_text('{"tau_entropi": 1}')
    with pytest.raises(InputError, match="tau_entrop"):
        read_tuned(tmp_path)


@pytest.mark.parametrize("name", ["full", "greedy", "no_scorer", "energy8"])
def test_every_switch_of_a_preset_can_be_overridden(name: str) -> None:
    overrides = [f"hybrid={name}", "hybrid.set.k_base=3", "hybrid.experts=off", "hybrid.k=2"]
    config = load_config("eval", overrides, EvalConfig).hybrid
    assert (config.set.k_base, config.experts, config.k) == (3, "off", 2)


def test_presets_say_what_their_names_say() -> None:
    presets = {name: preset(name) for name in ("auto", "full", "greedy", "logprob4", "energy8", "fixed_k", "free_form")}
    assert presets["auto"] == HybridConfig()
    parts = ("planner", "scorer", "experts", "draft", "shaping", "gate")
    assert {getattr(presets["full"], part) for part in parts} == {"on"}
    assert {getattr(presets["greedy"], part) for part in parts} == {"off"}
    for part, name in (("planner", "no_planner"), ("experts", "no_experts"), ("draft", "no_speculation")):
        assert preset(name) == presets["full"].model_copy(update={part: "off"})
    assert preset("no_shaping") == presets["full"].model_copy(update={"shaping": "off"})
    assert (presets["logprob4"].mode, presets["logprob4"].k, presets["logprob4"].scorer) == ("logprob", 4, "off")
    assert (presets["energy8"].mode, presets["energy8"].k, presets["energy8"].scorer) == ("energy", 8, "on")
    assert (presets["fixed_k"].mode, presets["fixed_k"].early_exit, presets["free_form"].constrained) == (
        "energy",
        False,
        False,
    )
    assert preset("branches") == presets["full"].model_copy(update={"draw": "branch"})
    assert preset("four_samples") == presets["fixed_k"].model_copy(
        update={"draw": "sample", "set": presets["logprob4"].set}
    )
