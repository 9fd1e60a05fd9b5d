"""A decoder on vLLM in this process: the same prompts, call schema, shaping and experts as the in-process decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from hybrid_agent.constrain import Lexicon, find_spans
from hybrid_agent.constrain.compile import grammar, portable
from hybrid_agent.constrain.narrow import narrow
from hybrid_agent.constrain.prepare import prepare
from hybrid_agent.decoder.aliases import Alias, aliases_of
from hybrid_agent.decoder.bundle import find_model
from hybrid_agent.decoder.calls import gave_up, without_policy
from hybrid_agent.decoder.options import BASE, EXPERTS, SHAPING
from hybrid_agent.decoder.prompt import ChatPrompt, Prompt, TinyPrompt, is_tiny
from hybrid_agent.decoder.shaping import Shaper
from hybrid_agent.decoder.vllm_engine import Engine, Request, VllmEngine, VllmOptions, Written, entropy_of
from hybrid_agent.decoder.vllm_loras import LoraShelf
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import load_tokenizer
from hybrid_agent.types import Budget, Control, Segment, Window


class VllmDecoder:
    """Implements `hybrid_agent.protocols.Decoder`.

    Not here: the planner's tool prior (it changes within a call, `logit_bias` does not), speculation by our own drafts
    (vLLM has its own), and forced tokens without a forward pass.

    Args:
        engine: vLLM.
        tokenizer: the model's. One with our control tokens gets the tiny format, others their chat template.
        schema: JSON schema of the calls (hybrid_agent.tools.registry.call_schema).
        lexicon: what calls may say that is not copied from the window (tiny format only).
        constrained: calls are valid by construction; off, the model writes freely.
        greedy_first: of several candidates the first is greedy.
        shaper: biases logits where `Budget.shaping` is above 0.
        experts: who writes which segment; None: always the decoder itself.
    """

    def __init__(
        self,
        engine: Engine,
        tokenizer: PreTrainedTokenizerFast,
        schema: Mapping[str, Any],
        lexicon: Lexicon | None = None,
        *,
        constrained: bool = True,
        greedy_first: bool = True,
        shaper: Shaper | None = None,
        experts: LoraShelf | None = None,
    ) -> None:
        self.engine, self.tokenizer, self.lexicon = engine, tokenizer, lexicon or Lexicon()
        self.greedy_first, self.shaper, self.experts = greedy_first, shaper, experts
        tiny = is_tiny(tokenizer)
        self.schema = without_policy(schema) if tiny else dict(schema)
        self.prompt: Prompt = TinyPrompt(tokenizer) if tiny else ChatPrompt(tokenizer, self.schema)
        self.aliases = aliases_of(self.lexicon)
        self.end = int(tokenizer.eos_token_id)
        self._whole: str | None = None
        self._spanned: dict[str, Any] | None = None
        if constrained:
            self._trie = grammar(self.schema, tokenizer, eos_token=self.end).trie  # raises for what it cannot enforce
            self._whole = portable(prepare(self.schema))
            marked = prepare(self.schema, keep_spans=True)
            self._spanned = marked if tiny and isinstance(marked, dict) else None
        self.spent = (0, 0)  # tokens of all candidates of the last call; none are forced

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        schema: Mapping[str, Any],
        options: VllmOptions | None = None,
        parts: Mapping[str, Path] | None = None,
        *,
        constrained: bool = True,
        greedy_first: bool = True,
    ) -> VllmDecoder:
        """Load a checkpoint, a bundle or a finished run.

        Raises:
            InputError: there is no model, vLLM is missing or cannot load it, or a part does not fit it.
        """
        parts = parts or {}
        folder, lexicon = find_model(folder)
        tokenizer = read_tokenizer(folder)
        experts = LoraShelf(parts[EXPERTS]) if EXPERTS in parts else None
        shaper = Shaper.over(parts[SHAPING], head_weights(folder), tokenizer) if SHAPING in parts else None
        engine = VllmEngine(folder, options or VllmOptions(), experts.rank if experts else 0)
        return cls(
            engine,
            tokenizer,
            schema,
            lexicon,
            constrained=constrained,
            greedy_first=greedy_first,
            shaper=shaper,
            experts=experts,
        )

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """Write budget.k candidate calls, without repeats. With `watch`, the greedy one is written by itself first.

        Raises:
            InfraError: the engine failed.
        """
        alias = self.aliases.of(window)
        window, context = alias.window, self.engine.context
        ids = self.prompt.encode(window, context - min(budget.max_tokens, context // 3))
        name = self.experts.choose(control, budget.expert_depth < 2) if self.experts else BASE
        lora = self.experts.lora(name) if self.experts else None
        found: dict[str, Segment] = {}
        last: Segment | None = None
        spent = 0
        for batch in self._rounds(window, budget, min(budget.max_tokens, context - len(ids)), watch is not None):
            for written in self.engine.write(ids, batch, lora):
                last = self._segment(written, name, alias)
                spent += last.tokens
                if last.text in found or not (last.complete or self._whole is None):
                    continue
                found[last.text] = last
                if watch is not None and watch(last):
                    self.spent = (spent, 0)
                    return list(found.values())
        self.spent = (spent, 0)
        if not found:
            assert last is not None
            found[""] = gave_up(last)
            if watch is not None:
                watch(found[""])
        return list(found.values())

    def close(self) -> None:
        """Remove what was made for this decoder."""
        if self.experts is not None:
            self.experts.close()

    def schema_for(self, window: Window) -> str | None:
        """The schema of the next call as vLLM is given it: for the tiny format narrowed to what the window shows."""
        if self._whole is None or self._spanned is None:
            return self._whole
        from llguidance import LLMatcher

        text = portable(narrow(self._spanned, find_spans(window), self.lexicon))
        wrong = LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(text), self._trie)
        return self._whole if wrong else text  # where a narrowed field accepts nothing, it is not narrowed

    def _rounds(self, window: Window, budget: Budget, room: int, watched: bool) -> list[list[Request]]:
        """The requests; those of one round are decoded together."""
        bias: dict[int, float] = {}
        if self.shaper is not None and budget.shaping > 0:
            shift = self.shaper.bias(window) * np.float32(budget.shaping)
            bias = {int(token): float(shift[token]) for token in np.flatnonzero(shift)}
        schema = self.schema_for(window)

        def request(n: int, temperature: float) -> Request:
            return Request(n, room, temperature, budget.seed, schema, bias, (self.end,))

        if budget.k == 1 or budget.temperature == 0:  # greedy texts would all be the same
            return [[request(1, budget.temperature)]]
        if not self.greedy_first:
            return [[request(budget.k, budget.temperature)]]
        first, rest = request(1, 0.0), request(budget.k - 1, budget.temperature)
        return [[first], [rest]] if watched else [[first, rest]]

    def _segment(self, written: Written, expert: str, alias: Alias) -> Segment:
        tokens = [token for token in written.tokens if token != self.end]
        text = self.tokenizer.backend_tokenizer.decode(tokens, skip_special_tokens=False)
        return Segment(
            text=alias.swapped_call(text.strip() if self._whole is None else text),
            logprob=sum(written.chosen),
            tokens=len(written.tokens),
            complete=written.stopped,
            entropy=max((entropy_of(top) for top in written.tops), default=0.0),
            low=min(written.chosen, default=0.0),
            expert=expert if self.experts is not None else None,
        )


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a checkpoint, without its model.

    Raises:
        InputError: there is none.
    """
    try:
        if (folder / "tokenizer.json").is_file() and is_tiny(tokenizer := load_tokenizer(folder)):
            return tokenizer
        found: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        what = f"not a loadable tokenizer: {str(error).splitlines()[0]}"
        raise InputError(what, where=str(folder), fix="give a folder saved by save_pretrained") from error
    made: PreTrainedTokenizerFast = found
    return made


def head_weights(folder: Path) -> torch.Tensor:
    """The LM head (vocab, d) of a checkpoint, or the embeddings where the two are tied; nothing else is read.

    Raises:
        InputError: no plain weights by these names.
    """
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(str(file), framework="pt") as weights:
                if name in weights.keys():  # noqa: SIM118
                    found: torch.Tensor = weights.get_tensor(name)
                    return found
    raise InputError("no LM head in its weights, which shaping needs", where=str(folder), fix="use hybrid.shaping=off")
