"""The policy classifier by itself: features, the file, what it decides. Weights are written by hand here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.tools import registry
from hybrid_agent.tools.findings import Facts
from hybrid_agent.tools.policy_features import DIM, Situation, index, indices, judgements, names, pieces
from hybrid_agent.tools.policy_model import BUCKETS, GateFile, PolicyModel
from hybrid_agent.tools.rules import study
from hybrid_agent.types import CallPolicy, ToolCall

FACTS = Facts(kind={"old.txt": "file"}.get, precious=lambda path: path == "old.txt")


def situation(tool: str, goal: str = "", **args: object) -> Situation:
    call = ToolCall(tool=tool, args=args)
    return Situation(call, goal, "", study(registry.parse_args(tool, args), FACTS))


def gate(deny: dict[str, float], fill: dict[str, float] | None = None) -> GateFile:
    weights, rows = [0.0] * DIM, [[0.0] * DIM for _ in BUCKETS[1:]]
    for name, value in deny.items():
        weights[index(name)] = value
    for name, value in (fill or {}).items():
        rows[1][index(name)] = value
    return GateFile(
        threshold=0.5, approval_threshold=0.9, scale=1.0, shift=0.0, bias=-2.0, deny=tuple(weights),
        fill_bias=(-9.0,) * len(rows), fill=tuple(map(tuple, rows)), fill_threshold=0.8,
    )  # fmt: skip


def test_judgements_hold_the_rules_findings_against_the_goal() -> None:
    asked = judgements(situation("shell", "delete old.txt", cmd="rm old.txt"))
    unasked = judgements(situation("shell", "count the lines of a.csv", cmd="rm old.txt"))
    assert "destroys.named.asked" in asked and "destroys.unnamed.unasked" in unasked
    assert judgements(situation("shell", cmd="ls")) == ["nothing"]
    write = {"op": "write", "path": "a.env", "text": "TOKEN=abc123def456"}
    assert "secret.unasked" in judgements(situation("fs", "write a.env", **write))
    assert "secret.asked" in judgements(situation("fs", "put TOKEN=abc123def456 into a.env", **write))


def test_features_are_stable_bounded_and_each_once() -> None:
    one = situation("shell", "x", cmd="python3 -m unittest -q " + "é" * 3900)
    found = indices(one)
    assert np.array_equal(found, indices(one)) and len(np.unique(found)) == len(found)
    assert found.min() >= 0 and found.max() < DIM
    assert len(names(one)) == len(set(names(one)))
    assert len(pieces("")) == 0 and len(pieces("ab")) == 0 and len(pieces("abc")) == 1


def test_a_call_that_needs_approval_is_denied_only_when_the_classifier_is_surer() -> None:
    model = PolicyModel(gate({"nothing": 3.0, "destroys.unnamed.unasked#0": 3.0, "nothing#0": 3.0}))
    plain, removal = situation("shell", "g", cmd="ls"), situation("shell", "g", cmd="rm old.txt")
    assert 0.5 < model.risk(plain) < 0.9 and 0.5 < model.risk(removal) < 0.9
    assert model.decide(plain, registry.TOOLS["shell"]).action == "deny"
    assert model.decide(removal, registry.TOOLS["shell"]).action == "allow"


def test_a_limit_is_filled_in_only_where_the_call_brings_none() -> None:
    model = PolicyModel(gate({}, {"w=pytest": 30.0}))
    tool = registry.TOOLS["shell"]
    decision = model.decide(situation("shell", cmd="pytest -q"), tool)
    assert (decision.action, decision.timeout_s) == ("fill", BUCKETS[2])
    assert model.decide(situation("shell", cmd="ls -q"), tool).action == "allow"
    own = ToolCall(tool="shell", args={"cmd": "pytest -q"}, policy=CallPolicy(timeout_s=3))
    assert model.decide(Situation(own), tool).action == "allow"


def test_a_gate_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    path.write_text(gate({"w=rm": 4.0}).model_dump_json())
    model = PolicyModel.load(tmp_path)
    assert model.data == gate({"w=rm": 4.0})
    assert model.risk(situation("shell", cmd="rm x")) > model.risk(situation("shell", cmd="ls x"))


@pytest.mark.parametrize("damage", ["missing", "text", "short", "field"])
def test_a_broken_gate_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "gate.json"
    body = json.loads(gate({}).model_dump_json())
    if damage == "text":
        path.write_text("not json")
    elif damage == "short":
        path.write_text(json.dumps(body | {"deny": [0.0]}))
    elif damage == "field":
        path.write_text(json.dumps(body | {"threshold": 7}))
    with pytest.raises(InputError, match=r"gate\.json"):
        PolicyModel.load(path)
