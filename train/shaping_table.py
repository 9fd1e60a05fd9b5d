"""What logit shaping is fitted on: every choice in every logged candidate, with the frozen decoder's logits.

Teacher forcing under the grammar, as the engine decodes: only the tokens that were allowed count, and tokens that had
to follow are no choices. So the likelihoods here are those of the decoder that serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.shaping import WIDTH, features
from hybrid_agent.protocols import Scorer
from hybrid_agent.traces.contexts import Context

Energies = Callable[[Context], Sequence[float | None]]
_UNCLEAR = ("flaky", "infra_failure")


@dataclass
class Table:
    """C contexts, K candidates, N choices, M allowed tokens at them.

    Attributes:
        features: float32 (C, WIDTH).
        groups: of each context.
        context: int64 (K,), the context of each candidate.
        energy: float32 (K,).
        good: bool (K,), whether the candidate passed.
        candidate: int64 (N,), the candidate of each choice.
        target: int64 (N,), where the token taken lies among the M.
        choice: int64 (M,), the choice of each allowed token.
        ids: int64 (M,), the allowed tokens.
        logits: float32 (M,), what the frozen decoder gives them.
        skipped: candidates that the grammar does not write, or whose outcome is unclear.
    """

    features: torch.Tensor
    groups: list[str]
    context: torch.Tensor
    energy: torch.Tensor
    good: torch.Tensor
    candidate: torch.Tensor
    target: torch.Tensor
    choice: torch.Tensor
    ids: torch.Tensor
    logits: torch.Tensor
    skipped: int = 0


def from_labels(context: Context) -> list[float | None]:
    """Energies 0 for a pass and 1 for a failure; None where the outcome is unclear."""
    return [None if c.label in _UNCLEAR else float(c.label != "pass") for c in context.candidates]


def from_scorer(scorer: Scorer) -> Energies:
    """Energies of a trained scorer."""

    def energies(context: Context) -> list[float | None]:
        return [s.energy for s in scorer.score(context.window, [c.segment for c in context.candidates])]

    return energies


def collect(decoder: HfDecoder, contexts: Iterable[Context], energies: Energies) -> Table:
    """Run the decoder over all candidates.

    A context counts if at least two of its candidates can be written and it says something: a pass among them, or
    energies that differ.
    """
    described, groups, skipped = [], [], 0
    context_of: list[int] = []
    energy: list[float] = []
    good: list[bool] = []
    candidate: list[int] = []
    target: list[int] = []
    choice: list[np.ndarray] = []
    ids: list[np.ndarray] = []
    logits: list[np.ndarray] = []
    size = 0
    for context in contexts:
        found = []
        alias = decoder.aliases.of(context.window)  # what the decoder reads and writes when it serves
        made = decoder.constraint(alias.window)
        prompt, room = decoder.encode(alias.window)
        assert made is not None
        for one, value in zip(context.candidates, energies(context), strict=True):
            walked = _choices(decoder, made(), alias.swapped_call(one.segment.text)) if value is not None else None
            if walked is None:
                skipped += 1
            elif value is not None and walked[0] and len(walked[1]) <= room:
                found.append((value, one.label == "pass", walked))
        values = [value for value, _, _ in found]
        if len(found) < 2 or not (any(passed for _, passed, _ in found) or max(values) - min(values) > 0.1):
            continue
        decoder.engine.model.forward([0], [prompt], [0])
        for value, passed, (places, tokens) in found:
            fed = [prompt[-1], *tokens[: places[-1][0]]]
            at = [place for place, _, _ in places]
            rows = decoder.engine.model.forward_all(0, fed, len(prompt) - 1, at).cpu().numpy()
            for row, (_, allowed, taken) in zip(rows, places, strict=True):
                target.append(size + int(np.searchsorted(allowed, taken)))
                choice.append(np.full(len(allowed), len(candidate), np.int64))
                candidate.append(len(energy))
                ids.append(allowed)
                logits.append(row[allowed])
                size += len(allowed)
            context_of.append(len(groups))
            energy.append(value)
            good.append(passed)
        groups.append(context.group)
        described.append(features(alias.window))
    decoder.engine.forget()  # its cache no longer holds what it thinks

    def joined(parts: list[np.ndarray], kind: type) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(parts) if parts else np.zeros(0, kind))

    return Table(
        features=torch.from_numpy(np.array(described, np.float32).reshape(-1, WIDTH)),
        groups=groups,
        context=torch.tensor(context_of, dtype=torch.int64),
        energy=torch.tensor(energy, dtype=torch.float32),
        good=torch.tensor(good, dtype=torch.bool),
        candidate=torch.tensor(candidate, dtype=torch.int64),
        target=torch.tensor(target, dtype=torch.int64),
        choice=joined(choice, np.int64),
        ids=joined(ids, np.int64),
        logits=joined(logits, np.float32),
        skipped=skipped,
    )


Place = tuple[int, np.ndarray, int]  # tokens before the choice, the allowed tokens, the one taken


def _choices(decoder: HfDecoder, matcher: Matcher, text: str) -> tuple[list[Place], list[int]] | None:
    """(choices, tokens) of a text; None if the grammar does not write it."""
    end_id = decoder.engine.end_id
    places: list[Place] = []
    tokens: list[int] = []
    left, ahead = text, _encode(decoder, text)
    while left:
        forced = matcher.forced()
        if forced:
            said = decoder.tokenizer.backend_tokenizer.decode(forced, skip_special_tokens=False)
            if not left.startswith(said):
                return None
            matcher.advance(forced)
            tokens += forced
            left = left[len(said) :]
            ahead = _encode(decoder, left)
            continue
        allowed = _allowed(matcher, decoder.engine.model.vocab_size)
        token = ahead.pop(0)
        if token not in allowed:
            return None
        if len(allowed) > 1:
            places.append((len(tokens), allowed, token))
        matcher.advance([token])
        tokens.append(token)
        left = decoder.tokenizer.backend_tokenizer.decode(ahead, skip_special_tokens=False)
    if not matcher.is_done():
        allowed = _allowed(matcher, decoder.engine.model.vocab_size)
        if end_id not in allowed:
            return None
        if len(allowed) > 1:
            places.append((len(tokens), allowed, end_id))
    return places, tokens


def _encode(decoder: HfDecoder, text: str) -> list[int]:
    return list(decoder.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)


def _allowed(matcher: Matcher, vocab_size: int) -> np.ndarray:
    return np.flatnonzero(np.unpackbits(matcher.mask().view(np.uint8), bitorder="little", count=vocab_size))
