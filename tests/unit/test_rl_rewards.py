"""Rewards, the guard, and the comparison of two runs."""

import pytest

from eval.result import TaskResult
from hybrid_agent.config.stages.rl import GuardConfig, RewardConfig
from hybrid_agent.errors import InputError
from hybrid_agent.tools.scan import Entry
from train.rewards import Result, advantages, pair_auc, rewards
from train.rl.audit import changed, stray
from train.rl.guard import Agreement, alarm
from train.rl_report import as_json, compare, parse

CONFIG = RewardConfig()


def test_tests_count_most_and_violations_less_than_nothing():
    assert rewards([Result(True), Result(False), Result(False, violated=True)], CONFIG) == [1.0, 0.0, -0.5]


def test_latency_is_only_told_among_passing_tries():
    found = rewards([Result(True, cost=5), Result(True, cost=25), Result(True, cost=15), Result(False, cost=1)], CONFIG)
    assert found == pytest.approx([1.0, 0.95, 0.975, 0.0])


def test_energy_orders_ties_and_never_outweighs_a_result():
    tries = [Result(True, energy=90.0), Result(True, energy=-90.0), Result(False, energy=-99.0, count=3)]
    bad, good, failed = rewards(tries, CONFIG)
    assert (bad, good, failed) == pytest.approx((0.9, 1.1, 0.0))
    assert rewards([Result(True, energy=1.0), Result(False)], CONFIG) == [1.0, 0.0]  # one has none: nobody is judged


def test_advantages_of_all_tries_add_up_to_nothing():
    found = advantages([1.0, 0.0, -0.5], [2, 5, 1])
    assert sum(a * n for a, n in zip(found, [2, 5, 1], strict=True)) == pytest.approx(0)
    assert found[0] > found[1] > found[2]


def test_auc_compares_tries_of_one_group_only():
    first = [Result(True, energy=0.0, count=2), Result(False, energy=1.0)]
    second = [Result(True, energy=9.0), Result(False, energy=8.0)]  # the level of another group says nothing
    assert pair_auc([first]) == (1.0, 2)
    assert pair_auc([first, second]) == (pytest.approx(2 / 3), 3)
    assert pair_auc([[Result(True, energy=0.0)]]) == (0.5, 0)


def test_the_alarm_rings_when_own_passes_fail_what_is_held_out():
    config = GuardConfig(growth=0.05, least=50)
    first = Agreement(both=95, own_only=5)
    assert alarm(first, Agreement(both=90, own_only=12), config) is None  # chance explains it
    assert "20 of 80" in alarm(first, Agreement(both=60, own_only=20), config)
    assert alarm(first, Agreement(both=10, own_only=20), config) is None  # too few to tell
    assert Agreement(both=3, own_only=1, neither=4).agreement == pytest.approx(7 / 8)


def test_the_audit_sees_what_has_nothing_to_do_with_the_task():
    def tree(**files):
        return {path: Entry("file", 0o644, 0, 0, 0, content) for path, content in files.items()}

    before = tree(**{"a.txt": "1", "keep.txt": "2", "__pycache__/x.pyc": "3"})
    after = tree(**{"a.txt": "9", "new/b.txt": "4", "spare": "5"})
    touched = changed(before, after)
    assert touched == {"a.txt", "keep.txt", "new/b.txt", "spare"}
    assert stray(touched, {"a.txt", "new/b.txt"}) == {"keep.txt", "spare"}
    assert stray({"new", "new/c.txt"}, {"new"}) == set()  # all inside a folder that the task makes
    assert stray({"new"}, {"new/b.txt"}) == set()  # the folder had to be made
    assert stray({"new/c.txt"}, {"new/b.txt"}) == {"new/c.txt"}


def results(hits, split="test_names", infra=()):
    return {
        (f"t{i}", 0): TaskResult(
            task_id=f"t{i}", pack="os", family="f", split=split, goal="g", success=i in hits, verified=False,
            status="done", infra=i in infra,
        )
        for i in range(40)
    }  # fmt: skip


def test_runs_are_compared_task_by_task():
    [line] = compare(results(range(20)), results(range(30), infra=(39,)))
    assert (line.before.value, line.after.value) == pytest.approx((20 / 39, 30 / 39))
    assert line.gain.value == pytest.approx(10 / 39) and line.gain.low > 0 and line.better and not line.worse
    assert line.gain.n == 39
    assert as_json([line])["better"] == ["os/test_names"]
    [same] = compare(results(range(20)), results(range(20)))
    assert not same.better and not same.worse
    with pytest.raises(InputError, match="no task in common"):
        compare(results([]), {("other", 0): next(iter(results([]).values()))})


def test_what_the_report_does_not_know_goes_to_the_evaluation():
    options = parse(["before=bundle", "after=rl/tiny", "seeds=0,1", "hybrid=greedy", "limit=4"])
    assert options.rest == ["hybrid=greedy", "limit=4"] and options.seeds == (0, 1)
    with pytest.raises(InputError, match="nothing to compare"):
        parse(["before=bundle"])
    with pytest.raises(InputError, match="list of numbers"):
        parse(["before=a", "after=b", "seeds=x"])
