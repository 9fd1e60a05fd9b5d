"""The planner's network: training and serving agree, gradients go where they should, losses do what they say."""

import json

import numpy as np
import pytest
import torch

from hybrid_agent.config.stages.hrm import HrmLossConfig, PlannerConfig
from hybrid_agent.errors import InputError
from hybrid_agent.planner.calibration import Calibration, Knots
from hybrid_agent.planner.hrm import HrmPlanner, PlannerFile
from hybrid_agent.planner.model import PlannerNet, risk_within
from hybrid_agent.traces.domains import EXPERTS
from hybrid_agent.types import Exchange, Window
from train.hrm_batches import collate, to_arrays
from train.hrm_episodes import PlannerEpisode, PlannerTurn
from train.hrm_loss import Weights, match_plans, planner_loss

SMALL = PlannerConfig(width=16, hidden=12, words=64, calls=16, obs=16, listing=16, dropout=0.0, k_plan=3)
TOOLS = ("fs", "shell", "plan")
CALL = '{"tool":"shell","args":{"cmd":"ls"}}'


def episode(words, success=True):
    """Plan, then one step a word (the first is tried twice, the second is long), then finish."""
    steps = tuple(f"{word} the file" for word in words)
    windows = [Window(goal=" ".join(words))]
    for at, _ in enumerate(steps):
        for calls in [0, 1, 0, 1] if at == 0 else range(5 if at == 1 else 2):
            exchanges = (Exchange(call=CALL, obs=f"ok\n{calls} passed"),) * calls
            files = tuple(f"{i}.py" for i in range(at + 1))
            window = Window(goal=windows[0].goal, phase="step", steps=steps, index=at, files=files, exchanges=exchanges)
            windows.append(window)
    windows.append(Window(goal=windows[0].goal, phase="finish", steps=steps, index=len(steps), files=("a", "b.py")))
    turns = [PlannerTurn(w, i, (CALL,), i % 4 == 0, i % 8 == 0) for i, w in enumerate(windows)]
    return PlannerEpisode(windows[0].goal, tuple(turns), success, "test")


EPISODES = [episode(["copy", "move"]), episode(["read"]), episode(["write", "run", "test"])]


def make(variant="full", **more):
    torch.manual_seed(0)
    config = SMALL.model_copy(update={"variant": variant, **more})
    net = PlannerNet(config, len(TOOLS), len(EXPERTS))
    with torch.no_grad():
        net.heads.weight.mul_(20)  # so that differences show
    return net


def batch_of(net, episodes=EPISODES):
    return collate([to_arrays(e, net.config, TOOLS) for e in episodes])


def planner(net, calibration=None):
    return HrmPlanner(PlannerFile(planner=net.config, tools=TOOLS, experts=EXPERTS), net, calibration)


@pytest.mark.parametrize("variant", ["full", "flat"])
@pytest.mark.parametrize("tick_on_steps", [True, False])
def test_serving_step_by_step_equals_training_in_batches(variant, tick_on_steps):
    net = make(variant, tick_on_steps=tick_on_steps).eval()
    passes, _ = net(batch_of(net).states)
    served, tool, risk = planner(net), passes[-1].tool.softmax(-1), risk_within(passes[-1].hazard)[:, -1]
    controls = [served.step(turn.window) for e in EPISODES for turn in e.turns]
    assert len(controls) == len(tool)
    for at, control in enumerate(controls):
        assert list(control.tool_prior.values()) == pytest.approx(tool[at].tolist(), abs=1e-5)
        assert control.risk == pytest.approx(risk[at].item(), abs=1e-5)
        assert sum(control.expert_prior.values()) == pytest.approx(1, abs=1e-5)
        assert list(control.expert_prior) == list(EXPERTS)


def test_a_new_goal_begins_anew_by_itself():
    net = make()
    fresh, used = planner(net), planner(net)
    for turn in EPISODES[0].turns:
        used.step(turn.window)
    later = EPISODES[2].turns[2].window
    assert used.step(later) == fresh.step(later)
    for turn in EPISODES[2].turns[3:7]:
        used.step(turn.window)
    remembering = used.step(later)
    used.reset()
    assert used.step(later) == fresh.step(later) != remembering


def test_saved_and_loaded_it_says_the_same(tmp_path):
    net = make()
    calibration = Calibration(risk=Knots(x=(0.0, 1.0), y=(0.2, 0.4)), deliberate_above=0.0, tool_marginal={"fs": 1.0})
    before = planner(net, calibration)
    before.save(tmp_path / "planner")
    after = HrmPlanner.load(tmp_path / "planner")
    assert after.tool_marginal == {"fs": 1.0}
    for turn in EPISODES[0].turns:
        one, other = before.step(turn.window), after.step(turn.window)
        assert other.tool_prior == pytest.approx(one.tool_prior, abs=0.02)  # stored in fp16
        assert 0.2 <= other.risk <= 0.4 and other.deliberate


def test_damaged_planners_are_refused_by_name(tmp_path):
    folder = tmp_path / "planner"
    planner(make()).save(folder)
    good = (folder / "config.json").read_text()
    data = json.loads(good)
    for change, said in (({"features": 99}, "features"), ({"planner": {**data["planner"], "width": 24}}, "weights")):
        (folder / "config.json").write_text(json.dumps({**data, **change}))
        with pytest.raises(InputError, match=said):
            HrmPlanner.load(folder)
    (folder / "config.json").write_text(good)
    (folder / "calibration.json").write_text('{"deliberate_above": 3}')
    with pytest.raises(InputError, match="deliberate_above"):
        HrmPlanner.load(folder)
    (folder / "calibration.json").unlink()
    with pytest.raises(InputError, match=r"calibration\.json"):
        HrmPlanner.load(folder)


def test_flat_has_as_many_parameters():
    for config in (SMALL, PlannerConfig(), PlannerConfig(hidden=512, blocks=4)):
        sizes = [
            sum(p.numel() for p in PlannerNet(config.model_copy(update={"variant": v}), 7, 5).parameters())
            for v in ("full", "flat")
        ]
        assert sizes[1] == pytest.approx(sizes[0], rel=0.01)


def early_gradient(variant):
    """How much the answer at the last turn depends, by gradient, on what was seen at the first."""
    net = make(variant)
    batch = batch_of(net, EPISODES[2:])
    states = batch.states
    last_two = states.offsets[states.first[-2]]  # a tick also sees the mean of the segment before it
    late = set(states.index[last_two:].tolist())
    only_first = [row for row in states.index[: states.offsets[1]].tolist() if row not in late]
    passes, _ = net(batch.states)
    passes[0].tool[-1, 0].backward()
    return net.table.grad[only_first].abs().sum().item()


def test_gradients_run_through_all_ticks_unless_cut():
    assert early_gradient("full") > 1e-7
    assert early_gradient("one_step") == 0
    assert early_gradient("flat") == 0


def test_passes_refine_and_are_trained_apart():
    net = make()
    passes, _ = net(batch_of(net).states)
    assert len(passes) == 3 and not torch.allclose(passes[0].tool, passes[2].tool)
    assert len(make("flat")(batch_of(make("flat")).states)[0]) == 1


def test_shuffled_plans_change_answers_only_when_evaluated():
    net, mixed = make(), make("shuffled_g")
    states = batch_of(net).states
    assert torch.equal(net.train()(states)[0][-1].tool, mixed.train()(states)[0][-1].tool)
    assert not torch.equal(net.eval()(states)[0][-1].tool, mixed.eval()(states)[0][-1].tool)


def test_risk_is_the_chance_of_any_failure():
    hazard = torch.randn(5, 4)
    h = hazard.sigmoid()
    assert torch.allclose(risk_within(hazard)[:, 2], 1 - (1 - h[:, 0]) * (1 - h[:, 1]) * (1 - h[:, 2]), atol=1e-6)


def test_infonce_rewards_the_right_key_and_masks_twins():
    config = HrmLossConfig()
    keys = torch.zeros(4, 3, 8)
    keys[0, 0, 0] = keys[1, 0, 1] = keys[2, 0, 1] = 1.0  # plans 1 and 2 have the same outcome; nothing moves after 3
    keys[0, 1, 0] = 2.0  # the same direction at a wrong offset: masked as well
    keys[0, 2, 5] = 1.0
    right = match_plans(keys[:, 0].clone(), keys, config)
    assert right.count == 3 and right.right == 1.0 and right.loss.item() < 0.01
    assert right.chance == pytest.approx((1 / 4 + 1 / 2 + 1 / 2) / 3)
    wrong = match_plans(-keys[:, 0], keys, config)
    assert wrong.loss > 5 and np.isfinite(wrong.loss.item())
    assert match_plans(torch.ones(4, 8), torch.zeros(4, 3, 8), config).count == 0


@pytest.mark.parametrize("variant", ["full", "flat", "no_infonce", "one_step"])
def test_one_batch_can_be_learnt(variant):
    net = make(variant)
    batch = batch_of(net)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    losses = []
    for _ in range(40):
        loss = planner_loss(net, batch, HrmLossConfig(), Weights(2.0, 2.0))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        losses.append(loss.value.item())
    assert losses[-1] < 0.6 * losses[0]
    assert ("loss_infonce" in loss.logs) == (variant in ("full", "one_step"))
