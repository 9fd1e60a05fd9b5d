"""The decoder that is being trained, as it draws: several texts for one window, each with its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.engine import Draft, Sampling
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.errors import InputError
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Segment, Window


def check_engine(name: str) -> None:
    """Refuse an engine that cannot write tries here.

    Raises:
        InputError: it is not installed, or rollouts cannot use it yet.
    """
    if name == "hf":
        return
    if find_spec("vllm") is None:
        raise InputError("vLLM is not available: it is not installed", field="stage.engine", fix="stage.engine=hf")
    raise InputError("vLLM is not available for rollouts yet", field="stage.engine", fix="stage.engine=hf")


class Policy:
    """A local decoder with what training needs of it.

    Args:
        decoder: under whose grammar texts are drawn.
        temperature: of all draws; the distribution at this temperature is what is trained.
        max_tokens: of one text.
    """

    def __init__(self, decoder: HfDecoder, temperature: float, max_tokens: int) -> None:
        self.decoder, self.temperature, self.max_tokens = decoder, temperature, max_tokens
        self.end_id = decoder.engine.end_id

    @classmethod
    def load(cls, folder: Path, temperature: float, max_tokens: int, device: str = "cpu") -> Policy:
        """From a run's folder.

        Raises:
            InputError: there is no model.
        """
        options = DecoderOptions(greedy_first=False, lookup=False)
        return cls(HfDecoder.from_folder(folder, call_schema(), options, device, parts={}), temperature, max_tokens)

    def draw(self, window: Window, k: int, seed: int) -> list[Draft]:
        """k independent texts; equal ones may be the same object."""
        return self._write(window, Sampling(k=k, temperature=self.temperature, seed=seed))

    def greedy(self, window: Window) -> Draft:
        """The greedy text (cheap after `draw` of the same window: its prompt is in the cache)."""
        return self._write(window, Sampling(k=1, temperature=0.0))[0]

    def prompt(self, window: Window) -> list[int]:
        """What the model reads before it writes."""
        return self.decoder.encode(window, self.max_tokens)[0]

    def constraint(self, window: Window) -> Callable[[], Matcher] | None:
        """The grammar of a window."""
        return self.decoder.constraint(window)

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text."""
        return str(self.decoder.tokenizer.backend_tokenizer.decode(list(tokens), skip_special_tokens=False)).strip()

    def segment(self, draft: Draft) -> Segment:
        """A draft as the scorer takes it."""
        return Segment(
            text=self.text(draft.tokens),
            logprob=draft.logprob,
            tokens=len(draft.tokens),
            forced=draft.forced,
            complete=draft.complete,
            entropy=draft.entropy,
            low=draft.low,
        )

    def _write(self, window: Window, how: Sampling) -> list[Draft]:
        ids, room = self.decoder.encode(window, self.max_tokens)
        how.max_tokens = min(self.max_tokens, room)
        return self.decoder.engine.write(ids, how, self.decoder.constraint(window))


class RecordingDecoder:
    """Implements `protocols.Decoder`: one draw a turn, remembered.

    Attributes:
        written: window and draft of every turn.
    """

    def __init__(self, policy: Policy, seed: int, temperature: float | None = None) -> None:
        self.policy, self.seed, self.greedy = policy, seed, temperature == 0
        self.written: list[tuple[Window, Draft]] = []

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """One segment; a text that was cut short is no call, and the loop says so."""
        seed = self.seed + 7919 * len(self.written)
        draft = self.policy.greedy(window) if self.greedy else self.policy.draw(window, 1, seed)[0]
        self.written.append((window, draft))
        segment = self.policy.segment(draft)
        if watch is not None:
            watch(segment)
        return [segment]
