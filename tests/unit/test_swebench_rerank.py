"""Best of K over whole patches: reading diffs, figures, the fit, labels and what is recovered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.swe.bench.predictions import Prediction, write_predictions
from hybrid_agent.swe.rerank.choice import gains
from hybrid_agent.swe.rerank.diff import read_patch
from hybrid_agent.swe.rerank.energy import PatchEnergy, Pool, fit, held_out_energies, prior_energy
from hybrid_agent.swe.rerank.features import NAMES, Evidence, pool_features
from hybrid_agent.swe.rerank.pools import read_labels, read_pools
from hybrid_agent.swe.rerank.rank import fitted, load_energy, save_energy
from hybrid_agent.swe.rerank.weights import shipped
from tests.integration.swe_cases import TEST_PATCH, patch

GOOD, WRONG = patch("-=", "+="), patch("-=", "*=")
NEW_FILE = "diff --git a/run.py b/run.py\nnew file mode 100644\n--- /dev/null\n+++ b/run.py\n@@ -0,0 +1 @@\n+print(1)\n"
COMMENT = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a = 1\n+# -- a remark\n b = 2\n"


def figure(features: np.ndarray, name: str) -> list[float]:
    return [float(value) for value in features[:, NAMES.index(name)]]


def test_a_diff_is_read_as_git_reads_it() -> None:
    view = read_patch(GOOD + TEST_PATCH + NEW_FILE)
    assert view.sound and [file.path for file in view.files] == ["shop/sums.py", "tests/test_sums.py", "run.py"]
    assert [file.is_test for file in view.files] == [False, True, False] and view.files[2].new
    assert view.removed == ["        result -= value"] and view.added[0] == "        result += value"
    signature = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- a line that starts so\n+++ another\n same\n"
    assert read_patch(signature).removed == ["-- a line that starts so"]
    assert not read_patch("this is prose").sound
    assert not read_patch(GOOD.rsplit("\n", 4)[0]).sound, "a cut hunk"


def test_figures_say_what_each_patch_is() -> None:
    patches = [GOOD, WRONG, GOOD.replace("result = 0", "result = 0 "), "", "prose", COMMENT, TEST_PATCH, NEW_FILE]
    features = pool_features(patches, "total() in sums adds wrongly")
    assert np.isfinite(features).all() and features.shape == (8, len(NAMES))
    assert figure(features, "empty") == [0, 0, 0, 1, 0, 0, 0, 0]
    assert figure(features, "malformed") == [0, 0, 0, 0, 1, 0, 0, 0]
    assert figure(features, "no_code")[5] == 1 and figure(features, "touches_tests")[6] == 1
    assert figure(features, "debris")[7] == 1
    assert figure(features, "same")[0] > 0 == figure(features, "same")[1], "context is no part of a change"
    assert figure(features, "names_file")[:2] == [1, 1] and figure(features, "names_file")[5] == 0
    assert set(figure(features, "applies")) == {0.0}, "nobody looked"


def test_what_was_seen_in_the_repository_counts() -> None:
    seen = [Evidence(True, True, 0, 1, 1), Evidence(True, True, 2, 0, 1), Evidence(False)]
    features = pool_features([GOOD, WRONG, patch("/=", "+=")], "", seen)
    assert figure(features, "applies") == [1, 1, -1] and figure(features, "clean") == [1, -1, 0]
    assert figure(features, "fixed") == [1, -1, 0]
    energies = shipped().energies(features)
    assert energies[0] < energies[1] and energies[0] < energies[2]
    p = shipped().probabilities(features)
    assert ((p > 0) & (p < 1)).all() and p[0] > p[1]


def _pools(count: int, seed: int) -> list[Pool]:
    """Pools in which a longer patch is right and agreement means nothing: against the starting weights."""
    rng = np.random.default_rng(seed)
    pools: list[Pool] = []
    for n in range(count):
        features = np.zeros((5, len(NAMES)))
        features[:, NAMES.index("lines")] = rng.normal(2, 1, 5)
        features[:, NAMES.index("likeness")] = rng.random(5)
        score = 2 * features[:, NAMES.index("lines")] + rng.logistic(size=5)
        pools.append((features, score == score.max(), f"repo{n % 7}"))
    return pools


def test_a_fit_learns_from_labels_and_keeps_known_signs() -> None:
    pools, fresh = _pools(200, 0), _pools(200, 1)
    energy = fit(pools)
    weights = dict(zip(NAMES, energy.weights, strict=True))
    assert weights["lines"] > 0.5 and weights["empty"] < 0 and weights["broken"] <= 0

    def share(model: PatchEnergy) -> float:
        return float(np.mean([labels[int(np.argmin(model.energies(f)))] for f, labels, _ in fresh]))

    assert share(energy) > share(prior_energy()) + 0.3
    p = np.concatenate([energy.probabilities(f) for f, _, _ in fresh])
    assert abs(float(p.mean()) - 0.2) < 0.05, "calibrated: one of five resolves"


def test_few_labels_change_little() -> None:
    start = np.array(prior_energy().weights)
    few, many = (np.array(fit(_pools(n, 0)).weights) for n in (4, 200))
    assert np.abs(few - start).max() < np.abs(many - start).max()


def test_held_out_energies_do_not_see_their_own_repository() -> None:
    pools = _pools(70, 0)
    whole = held_out_energies(pools)
    mine = [(f, (~labels if group == "repo3" else labels), group) for f, labels, group in pools]
    for (_, _, group), before, after in zip(pools, whole, held_out_energies(mine), strict=True):
        if group == "repo3":
            assert np.allclose(before, after)


def test_gains_are_those_of_a_hand_count() -> None:
    features = [np.zeros((2, len(NAMES))) for _ in range(4)]
    labels = [np.array(x) for x in ([True, False], [False, True], [False, False], [True, False])]
    energies = [np.array(x) for x in ([0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0])]
    found = gains(features, energies, [np.full(2, 0.5)] * 4, labels)
    assert found.shares["random"].value == 3 / 8 and found.shares["oracle"].value == 3 / 4
    assert found.shares["energy"].value == 2 / 4 and found.shares["first file"].value == 2 / 4
    assert found.recovered is not None and found.recovered.value == pytest.approx(1 / 3)
    assert found.brier == 0.25 and found.ece == pytest.approx(1 / 8)


def test_labels_go_to_their_predictions(tmp_path: Path) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for file, model in zip(files, ("a", "b"), strict=True):
        write_predictions(file, [Prediction("i-1", model, GOOD), Prediction("i-2", model, WRONG)])
    pools = read_pools(files)
    official = {"submitted_ids": ["i-1", "i-2"], "resolved_ids": ["i-2"], "error_ids": []}
    ours = {"instances": [{"instance_id": "i-1", "model": "b", "resolved": True, "reason": "resolved"}]}
    lost = {"instances": [{"instance_id": "i-2", "model": "b", "resolved": False, "reason": "infrastructure"}]}
    for name, body in (("o.json", official), ("u.json", ours), ("l.json", lost)):
        (tmp_path / name).write_text(json.dumps(body))
    paired = read_labels([tmp_path / "o.json", tmp_path / "u.json"], files, pools)
    assert paired == {(0, "i-1"): False, (0, "i-2"): True, (1, "i-1"): True}
    assert read_labels([tmp_path / "u.json"], files, pools) == {(1, "i-1"): True}
    assert read_labels([tmp_path / "l.json"], files, pools) == {}, "a broken machine says nothing about a patch"
    write_predictions(files[1], [Prediction("i-1", "a", GOOD)])
    with pytest.raises(InputError, match="model of several predictions files"):
        read_labels([tmp_path / "u.json"], files, read_pools(files))


def test_an_energy_is_kept_and_read_again(tmp_path: Path) -> None:
    energy, found = fitted(_pools(30, 0), "a test")
    assert found.recovered is not None and found.instances == 30
    save_energy(tmp_path / "e.json", energy)
    assert load_energy(tmp_path / "e.json") == energy
    (tmp_path / "bad.json").write_text('{"format": 1, "weights": {"lines": 1}}')
    with pytest.raises(InputError, match="other figures"):
        load_energy(tmp_path / "bad.json")
    with pytest.raises(InputError, match="both a resolving and a failing"):
        fitted([(np.zeros((2, len(NAMES))), np.array([True, True]), "r")], "x")
