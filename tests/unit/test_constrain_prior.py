"""The tool prior reaches p(name)·P̃(name)^λ over whole names."""

from __future__ import annotations

import itertools
import math

import pytest
from constrain_cases import byte_tokenizer

from hybrid_agent.constrain import ToolTrie

NAMES = {"fs": [1, 2], "finish": [1, 3, 4], "find": [1, 3, 5, 6], "shell": [7], "ask": [8, 2]}
PRIOR = {"fs": 0.1, "finish": 0.2, "find": 0.05, "shell": 0.6, "ask": 0.05}
STEPS = {
    (): {1: 0.5, 7: 0.3, 8: 0.2},
    (1,): {2: 0.7, 3: 0.3},
    (1, 3): {4: 0.9, 5: 0.1},
    (1, 3, 5): {6: 1.0},
    (8,): {2: 1.0},
}


def model(path: tuple[int, ...]) -> dict[int, float]:
    return STEPS[path]


def over_names(trie: ToolTrie, weight: float, known: bool, prior: dict[str, float] = PRIOR) -> dict[str, float]:
    """The distribution over whole names when each token is drawn from the biased, masked softmax."""
    result = {}
    for name, tokens in trie.names.items():
        p = 1.0
        for at, token in enumerate(tokens):
            steps = STEPS[tuple(tokens[:at])]
            bias = trie.bias(prior, tokens[:at], weight=weight, model=model if known else None)
            mass = {t: q * math.exp(bias.get(t, 0.0)) for t, q in steps.items()}
            p *= mass[token] / sum(mass.values())
        result[name] = p
    return result


def wanted(trie: ToolTrie, weight: float) -> dict[str, float]:
    mass = {}
    for name, tokens in trie.names.items():
        own = math.prod(STEPS[tuple(tokens[:at])][token] for at, token in enumerate(tokens))
        mass[name] = own * (PRIOR[name] * len(trie.names)) ** weight
    return {name: value / sum(mass.values()) for name, value in mass.items()}


@pytest.mark.parametrize("weight", [0.3, 1.0, 1.7])
def test_exact_over_names_with_the_models_probabilities(weight: float) -> None:
    trie = ToolTrie(NAMES)
    assert over_names(trie, weight, known=True) == pytest.approx(wanted(trie, weight))


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_exact_without_them_where_first_tokens_differ(weight: float) -> None:
    trie = ToolTrie({"fs": [1, 2], "shell": [7], "ask": [8, 2]})
    prior = {"fs": 0.2, "shell": 0.7, "ask": 0.1}
    own = {"fs": 0.5, "shell": 0.3, "ask": 0.2}
    STEPS_FS = {(1,): {2: 1.0}}
    assert trie.bias(prior, (1,), weight=weight) == {2: 0.0} and STEPS_FS[(1,)] == {2: 1.0}
    bias = trie.bias(prior, weight=weight)
    mass = {name: own[name] * math.exp(bias[tokens[0]]) for name, tokens in trie.names.items()}
    target = {name: own[name] * prior[name] ** weight for name in own}
    for name in own:
        assert mass[name] / sum(mass.values()) == pytest.approx(target[name] / sum(target.values()))


def test_the_bias_telescopes_however_long_the_name() -> None:
    trie = ToolTrie(NAMES)
    totals = {
        name: sum(trie.bias(PRIOR, tokens[:at], weight=0.8)[token] for at, token in enumerate(tokens))
        for name, tokens in trie.names.items()
    }
    for first, second in itertools.combinations(NAMES, 2):
        assert totals[first] - totals[second] == pytest.approx(0.8 * math.log(PRIOR[first] / PRIOR[second]))


def test_no_prior_no_bias() -> None:
    trie = ToolTrie(NAMES)
    assert trie.bias({}) == {} and trie.bias(PRIOR, weight=0.0) == {} and trie.bias(PRIOR, (7,)) == {}
    assert over_names(trie, 1.0, known=True, prior={}) == pytest.approx({n: p for n, p in wanted(trie, 0.0).items()})


def test_the_cap_holds_for_whole_names_and_nothing_is_forbidden() -> None:
    trie = ToolTrie({"a": [1], "b": [2], "c": [3]})
    bias = trie.bias({"a": 1.0}, weight=5.0)
    assert all(math.isfinite(value) for value in bias.values())
    assert bias[1] - bias[2] == pytest.approx(6.0) and bias[2] == bias[3]


def test_marginal_takes_out_what_is_common() -> None:
    trie = ToolTrie({"a": [1], "b": [2]})
    assert trie.bias({"a": 0.9, "b": 0.1}, marginal={"a": 0.9, "b": 0.1}) == pytest.approx({1: 0.0, 2: 0.0})


def test_names_as_the_tokenizer_writes_them() -> None:
    tokenizer = byte_tokenizer("fin", "sh", '{"tool":"', '","args":')
    trie = ToolTrie.from_tokenizer(["fs", "finish", "shell"], tokenizer)
    text = {name: "".join(tokenizer.id_to_token(t) for t in tokens) for name, tokens in trie.names.items()}
    assert all(written.startswith(name + '"') for name, written in text.items())
    assert len(trie.children[()]) == 3
    with pytest.raises(ValueError, match="begin another"):
        ToolTrie({"a": [1], "b": [1, 2]})
