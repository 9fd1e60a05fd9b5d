"""Biasing the choice of the tool by a prior over tool names.

The wanted distribution over whole names is p(name) · P̃(name)^λ, normalised, where p is the model's own and P̃
the prior over its marginal. It is reached token by token on the trie of tokenised names: a node's value V is
P̃^λ at a name's end and the mean of its children's values elsewhere, and the step from u to v is biased by
log V(v) - log V(u). Along a name these telescope to λ·log P̃ - log V(root), however long it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hybrid_agent.constrain.tokens import token_trie

CAP = 3.0  # nats, on the whole name
Path = tuple[int, ...]
Model = Callable[[Path], Mapping[int, float]]


class ToolTrie:
    """The tokenised tool names, as a trie. No name's tokens may begin another's (the closing quote is included)."""

    def __init__(self, names: Mapping[str, Sequence[int]]) -> None:
        self.names = {name: tuple(tokens) for name, tokens in names.items()}
        self.children: dict[Path, list[int]] = {}
        for tokens in self.names.values():
            for end in range(len(tokens)):
                steps = self.children.setdefault(tokens[:end], [])
                if tokens[end] not in steps:
                    steps.append(tokens[end])
        for name, tokens in self.names.items():
            if tokens in self.children:
                raise ValueError(f"the tokens of {name!r} begin another tool's name")

    @classmethod
    def from_tokenizer(
        cls, names: Sequence[str], tokenizer: Any, before: str = '{"tool":"', after: str = '","args":'
    ) -> ToolTrie:
        """Tokenise each name as it stands in a call; its tokens run up to and including the one that ends it."""
        trie = token_trie(tokenizer)
        found: dict[str, list[int]] = {}
        for name in names:
            tokens = trie.tokenize_str(before + name + after)
            first = next(i for i in range(len(tokens)) if len(trie.decode_bytes(tokens[: i + 1])) > len(before))
            end = len((before + name).encode()) + 1
            last = next(i for i in range(len(tokens)) if len(trie.decode_bytes(tokens[: i + 1])) >= end)
            found[name] = tokens[first : last + 1]
        return cls(found)

    def bias(
        self,
        prior: Mapping[str, float],
        taken: Sequence[int] = (),
        *,
        weight: float = 1.0,
        model: Model | None = None,
        marginal: Mapping[str, float] | None = None,
    ) -> dict[int, float]:
        """Return what to add to the logits of the tokens that may follow `taken`; empty where there is no choice.

        With the mean over children in place of the model's own probabilities, names that share first tokens are
        exact only if the model has no preference among them; with `model` the result is exact for any trie.

        Args:
            prior: probabilities over names; empty means no bias. Names it lacks count as probability 0 (capped).
            taken: tokens of the name so far.
            weight: λ.
            model: gives the model's probabilities of the next tokens after a path, if they are known.
            marginal: how often each tool is used overall; uniform by default.
        """
        here = tuple(taken)
        if not prior or weight == 0.0 or here not in self.children:
            return {}
        values = self._name_values(prior, weight, marginal)
        memo: dict[Path, float] = {}
        top = math.log(self._value(here, values, model, memo))
        return {
            token: math.log(self._value((*here, token), values, model, memo)) - top for token in self.children[here]
        }

    def _name_values(
        self, prior: Mapping[str, float], weight: float, marginal: Mapping[str, float] | None
    ) -> dict[Path, float]:
        """P̃^λ for each name, with λ·log P̃ kept within the cap."""
        even = 1.0 / len(self.names)
        ratios = {
            name: prior.get(name, 0.0) / max((marginal or {}).get(name, 0.0 if marginal else even), 1e-9)
            for name in self.names
        }
        total = sum(ratios.values())
        values = {}
        for name, tokens in self.names.items():
            share = ratios[name] / total if total > 0 else even
            log = weight * math.log(share / even) if share > 0 else -math.copysign(CAP, weight)
            values[tokens] = math.exp(max(-CAP, min(CAP, log)))
        return values

    def _value(self, path: Path, values: Mapping[Path, float], model: Model | None, memo: dict[Path, float]) -> float:
        if path in values:
            return values[path]
        if path not in memo:
            steps = self.children[path]
            shares = {token: 1.0 / len(steps) for token in steps}
            if model is not None:
                known = model(path)
                mass = sum(known.get(token, 0.0) for token in steps)
                if mass > 0:
                    shares = {token: known.get(token, 0.0) / mass for token in steps}
            memo[path] = sum(shares[t] * self._value((*path, t), values, model, memo) for t in steps)
        return memo[path]
