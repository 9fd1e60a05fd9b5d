"""The in-process decoder: a Hugging Face checkpoint behind the segment engine."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from hybrid_agent.constrain import CallGrammar, Lexicon, NarrowedCalls, Spans, ToolTrie, find_spans
from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.constrain.slips import Slips
from hybrid_agent.decoder.aliases import Alias, Aliases, aliases_of
from hybrid_agent.decoder.branches import NOTED, Branches
from hybrid_agent.decoder.bundle import find_model
from hybrid_agent.decoder.calls import gave_up, without_policy
from hybrid_agent.decoder.chat import tool_names
from hybrid_agent.decoder.checkpoint import load_checkpoint, load_draft
from hybrid_agent.decoder.engine import Bias, Draft, Sampling, SegmentEngine
from hybrid_agent.decoder.options import BASE, DRAFT, EXPERTS, SHAPING, DecoderOptions, Experts
from hybrid_agent.decoder.prompt import ChatPrompt, Prompt, TinyPrompt, is_tiny
from hybrid_agent.decoder.rewrite import Rewriter
from hybrid_agent.decoder.shaping import Shaper
from hybrid_agent.decoder.speculate import DraftSource, PromptLookup, SmallModel, Speculator
from hybrid_agent.decoder.tool_bias import tool_bias
from hybrid_agent.decoder.votes import counted
from hybrid_agent.errors import InputError
from hybrid_agent.nn.rows import fast_rows
from hybrid_agent.traces.domains import domain_of
from hybrid_agent.types import Budget, Control, Segment, Window

_ENGINES = 9  # kept at most: each holds a cache


class HfDecoder:
    """Implements `hybrid_agent.protocols.Decoder`.

    Args:
        model: any decoder-only model; small Llama models on the CPU use our own forward pass.
        tokenizer: its tokenizer. One with our control tokens gets the tiny format, others their chat template.
        schema: JSON schema of the calls (hybrid_agent.tools.registry.call_schema).
        lexicon: what calls may say that is not copied from the window.
        draft: a small model with the same tokenizer, which guesses tokens where `Budget.speculate` allows it.
        shaper: biases logits where `Budget.shaping` is above 0.
        experts: who writes which segment; None: always the decoder itself.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        schema: Mapping[str, Any],
        lexicon: Lexicon | None = None,
        options: DecoderOptions | None = None,
        *,
        draft: PreTrainedModel | None = None,
        shaper: Shaper | None = None,
        experts: Experts | None = None,
    ) -> None:
        self.options = options or DecoderOptions()
        if self.options.threads:
            torch.set_num_threads(self.options.threads)
        self.model, self.tokenizer, self.lexicon = model, tokenizer, lexicon or Lexicon()
        tiny = is_tiny(tokenizer)
        # The tiny decoder was never shown a policy: without that choice most of a call's end is forced.
        self.schema = without_policy(schema) if tiny else dict(schema)
        self.prompt: Prompt = TinyPrompt(tokenizer) if tiny else ChatPrompt(tokenizer, self.schema)
        rows = fast_rows(model)
        end_id = int(tokenizer.eos_token_id)
        self.engine = SegmentEngine(rows, end_id)
        self.engines = {BASE: self.engine}
        self.shaper, self.experts = shaper, experts
        self.speculator = self._speculator(draft)
        self.spent = (0, 0)  # tokens of all candidates of the last call, and how many of them were forced
        self._narrow = tiny and self.options.spans
        self.aliases = aliases_of(self.lexicon) if self.options.aliases else Aliases()
        self._alias: Alias | None = None  # of the window that is being answered
        # Of the last window: the loop asks for more candidates of the same one.
        self._encoded: tuple[Window, int, list[int]] | None = None
        self._narrowed: tuple[Window, NarrowedCalls] | None = None
        self._last: tuple[Hashable, Draft] | None = None  # the last greedy text, and what it depended on
        self._calls: CallGrammar | None = None
        self._tools: ToolTrie | None = None
        if self.options.constrained:
            self._calls = CallGrammar(self.schema, tokenizer, eos_token=end_id, vocab_size=rows.vocab_size)
            self._tools = ToolTrie.from_tokenizer(tool_names(self.schema), self._calls.trie)

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        schema: Mapping[str, Any],
        options: DecoderOptions | None = None,
        device: str = "cpu",
        parts: Mapping[str, Path] | None = None,
    ) -> HfDecoder:
        """Load a bundle, a finished sft run, or any folder saved by `save_pretrained`.

        Args:
            parts: where `draft`, `shaping` and `experts` lie; those not named are not used. None takes what lies
                beside the decoder.

        Raises:
            InputError: there is no model, its files are not those of its manifest, or a part does not fit it.
        """
        home = folder
        folder, lexicon = find_model(folder)
        model, tokenizer = load_checkpoint(folder, device)
        if is_tiny(tokenizer) and options is None:
            options = DecoderOptions(threads=1)
        if parts is None:
            parts = {name: home / name for name in (DRAFT, SHAPING, EXPERTS) if (home / name).is_dir()}
        return cls(
            model,
            tokenizer,
            schema,
            lexicon,
            options,
            draft=load_draft(parts[DRAFT], tokenizer, device) if DRAFT in parts else None,
            shaper=Shaper.load(parts[SHAPING], model, tokenizer) if SHAPING in parts else None,
            experts=_experts(parts[EXPERTS], model) if EXPERTS in parts else None,
        )

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """Write budget.k candidate calls, without repeats (so there may be fewer). Repeats are not told to `watch`."""
        if budget.draw == "rename" and budget.temperature > 0:
            return self._renamed(window, budget, control, watch)
        return self._propose(self.aliases.of(window), budget, control, watch)

    def _renamed(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None
    ) -> Sequence[Segment]:
        """Votes (`decoder.votes`) of budget.k namings in all, or, where the greedy call was asked for by itself, of
        budget.k others. That of the window itself comes first.

        Code depends on its names (`count_vowels`), so a greedy call that writes some gets branches instead; so does a
        window without names.
        """
        own, other = self.aliases.of(window), self.aliases.of(window, 1)
        if not other:
            return self._propose(own, budget, control, watch)
        greedy = budget.model_copy(update={"k": 1, "temperature": 0.0, "draw": "sample"})
        ballots: list[Segment] = []
        tokens = forced = 0
        for naming in range(budget.k + (not self.options.greedy_first)):
            alias = (own, other)[naming] if naming < 2 else self.aliases.of(window, naming)
            ballots += self._propose(alias, greedy, control, None)
            if not naming and domain_of(ballots[0].text) == "code":
                return self._propose(own, budget, control, watch)
            if naming or self.options.greedy_first:
                tokens, forced = tokens + self.spent[0], forced + self.spent[1]
        self.spent = (tokens, forced)
        found = counted(ballots)
        for segment in found:
            if watch is not None and watch(segment):
                break
        return found

    def _propose(
        self, alias: Alias, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None
    ) -> Sequence[Segment]:
        self._alias, window = alias, alias.window
        how = Sampling(
            k=budget.k if budget.temperature > 0 else 1,  # greedy rows would all be the same
            max_tokens=budget.max_tokens,
            temperature=budget.temperature,
            seed=budget.seed,
            greedy_first=self.options.greedy_first,
        )
        ids, room = self.encode(window, budget.max_tokens)
        how.max_tokens = min(how.max_tokens, room)
        name = self.experts.choose(control, budget.expert_depth < 2) if self.experts else BASE
        engine = self._engine(name)
        shift = None
        if self.shaper is not None and budget.shaping > 0:
            shift = self.shaper.bias(window) * np.float32(budget.shaping)
        speculator = self.speculator if budget.speculate and self.speculator.ready(window.goal) else None
        found: dict[int, Segment] = {}
        texts: set[str] = set()

        def said(draft: Draft) -> Segment:
            segment = self._segment(draft, name)
            return segment.model_copy(update={"text": alias.swapped_call(segment.text)}) if alias else segment

        def told(row: int, draft: Draft) -> bool:
            segment = said(draft)
            if segment.text in texts or not (segment.complete or self._calls is None):
                return False
            texts.add(segment.text)
            found[row] = segment
            return watch is not None and watch(segment)

        constraint, bias = self.constraint(window), self._bias(control)
        branching = budget.draw != "sample" and how.temperature > 0
        if constraint is not None and (branching or (self._narrow and how.temperature == 0)):
            one = replace(how, k=1, temperature=0.0, others=NOTED)
            prior = tuple(sorted(control.tool_prior.items()))
            key = (tuple(ids), window.barred, how.max_tokens, name, budget.shaping, prior, speculator is None)
            greedy = self._greedy(key, lambda: engine.write(ids, one, constraint, bias, None, shift, speculator)[0])
            branches, drafts = Branches(engine, ids, one, constraint, bias, shift, greedy), [greedy]
            asked = not branching or (self.options.greedy_first and how.k > 1)
            over = asked and told(0, self._mended(branches, window))
            if branching and not over:
                texts.add(said(greedy).text)  # the one that is asked for by itself
                branches.finish_some(budget.temperature, budget.seed, lambda: how.k - len(found), told)
            if not found:  # no branch is worth writing
                texts.clear()
                told(0, greedy)
            # The greedy text counts where it is asked for, be it at hand or not: effort depends on nothing else.
            own = (len(greedy.tokens), greedy.forced) if asked else (0, 0)
            self.spent = (own[0] + branches.spent[0], own[1] + branches.spent[1])
        else:
            drafts = engine.write(ids, how, constraint, bias, told, shift, speculator)
            self.spent = engine.spent
        if not found:
            found[0] = gave_up(said(drafts[0]))
            if watch is not None:
                watch(found[0])
        return [found[row] for row in sorted(found)]

    def text_so_far(self, tokens: Sequence[int]) -> str:
        """An unfinished text of the call that is being written, as it is meant; its last word may not be whole yet."""
        text = self.tokenizer.backend_tokenizer.decode(list(tokens), skip_special_tokens=False).rstrip("\ufffd")
        return self._alias.swapped(text) if self._alias else text

    def _greedy(self, key: Hashable, write: Callable[[], Draft]) -> Draft:
        """The greedy text: the loop asks for it by itself first, and then for branches of it."""
        if self._last is None or self._last[0] != key:
            self._last = (key, write())
        return self._last[1]

    def _mended(self, branches: Branches, window: Window) -> Draft:
        """The greedy call, without slips that no grammar can forbid where the grammar is that of the window."""
        if not self._narrow or self._calls is None:
            return branches.greedy
        return Rewriter(branches, self._calls.token_bytes, Slips(window).cost).rewrite(branches.greedy)

    def forget(self) -> None:
        """Drop all caches."""
        self._encoded = self._narrowed = self._last = None
        for engine in self.engines.values():
            engine.forget()
        for source in self.speculator.sources:
            if isinstance(source, SmallModel):
                source.forget()

    def encode(self, window: Window, max_tokens: int = 512) -> tuple[list[int], int]:
        """The prompt of a window, and how many tokens may follow it (`max_tokens` are wanted)."""
        context = self.engine.model.context
        wanted = context - min(max_tokens, context // 3)
        if self._encoded is None or (window, wanted) != self._encoded[:2]:
            self._encoded = (window, wanted, self.prompt.encode(window, wanted))
        ids = self._encoded[2]
        return list(ids), context - len(ids)

    def constraint(self, window: Window) -> Callable[[], Matcher] | None:
        """Makes matchers of the calls that may answer the window; None if decoding is free."""
        if self._calls is None:
            return None
        if self._narrowed is None or window != self._narrowed[0]:
            spans = find_spans(window) if self._narrow else Spans()
            narrowed = self._calls.narrowed(spans, self.lexicon if self._narrow else Lexicon())
            self._narrowed = (window, narrowed)
        return self._narrowed[1].matcher

    def _engine(self, name: str) -> SegmentEngine:
        """The engine of an expert, made when it is first asked for."""
        if self.experts is None or name == BASE:
            return self.engine
        rows, engine = self.experts.rows(name), self.engines.pop(name, None)
        if engine is None or engine.model is not rows:
            engine = SegmentEngine(rows, self.engine.end_id)
        self.engines[name] = engine  # the one used last stands last
        while len(self.engines) > _ENGINES:
            del self.engines[next(old for old in self.engines if old != BASE)]
        return engine

    def _speculator(self, draft: PreTrainedModel | None) -> Speculator:
        sources: list[DraftSource] = [PromptLookup()] if self.options.lookup else []
        if draft is not None:
            small = fast_rows(draft)
            if small.vocab_size != self.engine.model.vocab_size:
                what = f"the draft model has {small.vocab_size} tokens, the decoder {self.engine.model.vocab_size}"
                raise InputError(what, field="draft", fix="train it with stage.tokenizer=RUN OF THE DECODER")
            sources.append(SmallModel(small, self.options.sure))
        return Speculator(sources, length=self.options.guesses)

    def _segment(self, draft: Draft, expert: str) -> Segment:
        text = self.tokenizer.backend_tokenizer.decode(draft.tokens, skip_special_tokens=False)
        return Segment(
            text=text.strip() if self._calls is None else text,
            logprob=draft.logprob,
            tokens=len(draft.tokens),
            forced=draft.forced,
            complete=draft.complete,
            entropy=draft.entropy,
            low=draft.low,
            expert=expert if self.experts is not None else None,
        )

    def _bias(self, control: Control) -> Bias | None:
        if self._tools is None or self._calls is None or not control.tool_prior:
            return None
        return tool_bias(self._tools, self._calls.token_bytes, control.tool_prior, self.options.prior_weight)


def _experts(folder: Path, model: PreTrainedModel) -> Experts:
    from hybrid_agent.decoder.experts import ExpertLibrary

    return ExpertLibrary.load(folder, model)
