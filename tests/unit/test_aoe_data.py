"""Slices of the training data, scores of answers, the paired test, the search for a child's shares."""

import json
import math

import numpy as np
import pytest
import torch

from hybrid_agent.traces.domains import EXPERTS
from hybrid_agent.traces.window_text import as_json, render_turns
from hybrid_agent.types import Exchange, Window
from tests.unit.decoder_models import model, tokenizer
from train.aoe_answers import Scores, at_least, compare, routed, score_answers
from train.aoe_child import promoted, search_shares
from train.aoe_slices import find_answers, groups, hold_out, specialise
from train.data import load_sequences

SHELL = '{"tool":"shell","args":{"cmd":"ls"}}'
EDIT = '{"tool":"fs","args":{"op":"list","path":"x"}}'
CODE = '{"tool":"exec_code","args":{"lang":"python","code":"1"}}'
DONE = '{"tool":"plan","args":{"op":"done","check":{"kind":"absent","path":"x"}}}'


def turns(step, *calls):
    window = Window(goal="g", phase="step", steps=(step,))
    out = []
    for call in calls:
        out.append((window, call))
        window = window.model_copy(update={"exchanges": (*window.exchanges, Exchange(call=call, obs="ok"))})
    return out


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    episodes = [
        turns("one", SHELL, DONE),
        turns("another one", SHELL, DONE),
        turns("two", EDIT, SHELL, DONE),
        turns("three", CODE),
    ]
    lines = [json.dumps(as_json(pieces)) for episode in episodes for pieces in render_turns(episode)]
    (folder / "d.jsonl").write_text("\n".join(lines))
    return load_sequences(folder / "d.jsonl", tokenizer(), 256, folder)


def names(answers):
    return [EXPERTS[i] for i in answers.expert]


def test_every_answer_has_its_expert_and_its_place(data):
    answers = find_answers(data, tokenizer())
    said = ["shell", "generalist", "shell", "generalist", "editor", "shell", "generalist", "python"]
    assert names(answers) == said
    assert answers.row.tolist() == [0, 0, 1, 1, 2, 2, 2, 3]
    text = tokenizer().backend_tokenizer.decode(data.tokens[answers.start[4] : answers.stop[4]].tolist())
    assert text == EDIT
    assert answers.of(np.array([1, 3])).tolist() == [2, 3, 7]


def test_other_wordings_of_the_same_calls_are_never_on_both_sides(data):
    group = groups(data)
    assert group[0] == group[1] and len(set(group.tolist())) == 3
    for seed in range(5):
        kept, out = hold_out(group, 0.5, seed)
        assert not set(group[kept]) & set(group[out]) and len(kept) + len(out) == 4


def test_a_specialist_is_marked_on_its_own_calls_only(data):
    answers = find_answers(data, tokenizer())
    rows = np.arange(4)
    cut, own = specialise(data, answers, rows, ["shell"], 0.0, 0)
    assert own.tolist() == [0, 1, 2]
    for number, name in enumerate(names(answers)):
        marks = cut.answer[answers.start[number] : answers.stop[number]]
        assert (marks > 0).all() == (name == "shell") and (marks > 0).any() == (name == "shell")
    everything, every = specialise(data, answers, rows, ["generalist"], 0.0, 0)
    assert every.tolist() == rows.tolist() and (everything.answer == data.answer).all()


def test_ordinary_rows_keep_all_their_answers(data):
    answers = find_answers(data, tokenizer())
    cut, own = specialise(data, answers, np.arange(4), ["python"], 0.75, 1)
    assert 3 in own and len(own) >= 3  # its one row and three ordinary ones (which may be the same)
    for row in own:
        a, b = data.starts[row], data.starts[row + 1]
        assert (cut.answer[a:b] == data.answer[a:b]).all()


def test_scores_are_those_of_each_answer_alone(data):
    net = model()
    scores = score_answers(net, data, np.arange(4), 64, 0)
    answers = find_answers(data, tokenizer())
    assert len(scores.exact) == len(answers)
    for number in (0, 5, 7):
        start, stop, begin = answers.start[number], answers.stop[number], data.starts[answers.row[number]]
        ids = torch.tensor([data.tokens[begin:stop].tolist()])
        with torch.no_grad():
            lp = net(input_ids=ids).logits[0].log_softmax(-1)
        places = range(start - begin, stop - begin)
        loss = -sum(float(lp[i - 1, ids[0, i]]) for i in places)
        assert scores.loss[number] == pytest.approx(loss, abs=1e-3) and scores.tokens[number] == stop - start
        assert scores.exact[number] == all(int(lp[i - 1].argmax()) == int(ids[0, i]) for i in places)


def of(*exact):
    n = len(exact)
    return Scores(np.array(exact, bool), np.ones(n), np.ones(n, np.int64))


def test_routing_takes_each_answer_from_its_model():
    assert routed([of(1, 1, 1), of(0, 0, 0)], np.array([0, 1, 0])).exact.tolist() == [True, False, True]


def test_the_paired_test_is_mcnemars():
    assert at_least(0, 0) == 1 and at_least(5, 5) == 1 / 32
    assert at_least(9, 10) == pytest.approx(11 / 1024)
    better, worse = of(*[1] * 9, 0, *[1] * 30), of(*[0] * 9, 1, *[1] * 30)
    test = compare(better, worse, np.arange(40))
    assert (test.wins, test.losses, test.n) == (9, 1, 40) and test.p == pytest.approx(11 / 1024)
    assert test.gain == pytest.approx(0.2) and test.low > 0.05 and test.high < 0.4
    back = compare(worse, better, np.arange(40))
    assert back.p > 0.99 and back.high < 0


def test_answers_of_one_group_count_as_one_in_the_interval():
    better, worse = of(*[1] * 10, *[0] * 10), of(*[0] * 20)
    alone = compare(better, worse, np.arange(20))
    tied = compare(better, worse, np.repeat([1, 2], 10))
    assert tied.high - tied.low > 1.5 * (alone.high - alone.low)


def test_a_child_must_beat_both_parents():
    clear = compare(of(*[1] * 20), of(*[0] * 20), np.arange(20))
    tie = compare(of(*[1] * 20), of(*[1] * 20), np.arange(20))
    assert promoted([clear, clear], 0.05) and not promoted([clear, tie], 0.05)


def test_shares_are_searched_together_and_then_layer_by_layer():
    target, looked = (0.75, 0.75, 0.0), []

    def value(shares):
        looked.append(tuple(shares))
        return math.dist(shares, target)

    found = search_shares(value, 3, (0.0, 0.5, 0.75, 1.0), 2)
    assert found.shares == target and found.value == 0
    assert looked[:4] == [(s, s, s) for s in (0.0, 0.5, 0.75, 1.0)]
    assert len(looked) == len(set(looked)) == len(found.trials)
    assert search_shares(lambda shares: 1.0, 3, (0.0, 1.0), 1).shares == (0, 0, 0)
