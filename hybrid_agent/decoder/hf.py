"""The in-process decoder: a Hugging Face checkpoint behind the segment engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.constrain import CallGrammar, Lexicon, Spans, ToolTrie, find_spans
from hybrid_agent.decoder.bundle import DECODER, LEXICON, load_bundle, read_lexicon
from hybrid_agent.decoder.chat import tool_names
from hybrid_agent.decoder.engine import Bias, Draft, Sampling, SegmentEngine
from hybrid_agent.decoder.prompt import ChatPrompt, Prompt, TinyPrompt, is_tiny
from hybrid_agent.errors import InputError
from hybrid_agent.nn.rows import fast_rows
from hybrid_agent.nn.tokenizer import load_tokenizer
from hybrid_agent.runs.manifest import MANIFEST
from hybrid_agent.types import Budget, Control, Segment, Window

_BEFORE_NAME = '{"tool":"'


@dataclass(frozen=True)
class DecoderOptions:
    """Switches, mostly for ablations.

    Attributes:
        constrained: calls are valid by construction; off, the model writes freely.
        spans: copied arguments are limited to what the window shows (needs `constrained`).
        greedy_first: of several candidates the first is greedy.
        prior_weight: exponent of the planner's tool prior.
        threads: of torch, for the whole process; None leaves them. One is best for models of a few million
            parameters.
    """

    constrained: bool = True
    spans: bool = True
    greedy_first: bool = True
    prior_weight: float = 1.0
    threads: int | None = None


class HfDecoder:
    """Implements `hybrid_agent.protocols.Decoder`.

    Args:
        model: any decoder-only model; small Llama models on the CPU use our own forward pass.
        tokenizer: its tokenizer. One with our control tokens gets the tiny format, others their chat template.
        schema: JSON schema of the calls (hybrid_agent.tools.registry.call_schema).
        lexicon: what calls may say that is not copied from the window.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        schema: Mapping[str, Any],
        lexicon: Lexicon | None = None,
        options: DecoderOptions | None = None,
    ) -> None:
        self.options = options or DecoderOptions()
        if self.options.threads:
            torch.set_num_threads(self.options.threads)
        self.tokenizer, self.lexicon = tokenizer, lexicon or Lexicon()
        tiny = is_tiny(tokenizer)
        # The tiny decoder was never shown a policy: without that choice most of a call's end is forced.
        self.schema = without_policy(schema) if tiny else dict(schema)
        self.prompt: Prompt = TinyPrompt(tokenizer) if tiny else ChatPrompt(tokenizer, self.schema)
        rows = fast_rows(model)
        end_id = int(tokenizer.eos_token_id)
        self.engine = SegmentEngine(rows, end_id)
        self._narrow = tiny and self.options.spans
        self._calls: CallGrammar | None = None
        self._tools: ToolTrie | None = None
        if self.options.constrained:
            self._calls = CallGrammar(self.schema, tokenizer, eos_token=end_id, vocab_size=rows.vocab_size)
            self._tools = ToolTrie.from_tokenizer(tool_names(self.schema), self._calls.trie)

    @classmethod
    def from_folder(
        cls, folder: Path, schema: Mapping[str, Any], options: DecoderOptions | None = None, device: str = "cpu"
    ) -> HfDecoder:
        """Load a bundle, a finished sft run, or any folder saved by `save_pretrained`.

        Raises:
            InputError: there is no model, or its files are not those of its manifest.
        """
        lexicon = Lexicon()
        if (folder / MANIFEST).is_file():
            bundle = load_bundle(folder)
            folder, lexicon = bundle.model_folder, bundle.lexicon
        elif (folder / DECODER).is_dir():
            lexicon, folder = read_lexicon(folder / LEXICON), folder / DECODER
        if not (folder / "config.json").is_file():
            fix = "give a folder saved by save_pretrained"
            raise InputError("no model here (config.json is missing)", where=str(folder), fix=fix)
        model, tokenizer = _load(folder, device)
        if is_tiny(tokenizer) and options is None:
            options = DecoderOptions(threads=1)
        return cls(model, tokenizer, schema, lexicon, options)

    def propose(
        self, window: Window, budget: Budget, control: Control, watch: Callable[[Segment], bool] | None = None
    ) -> Sequence[Segment]:
        """Write budget.k candidate calls, without repeats (so there may be fewer). Repeats are not told to `watch`."""
        how = Sampling(
            k=budget.k if budget.temperature > 0 else 1,  # greedy rows would all be the same
            max_tokens=budget.max_tokens,
            temperature=budget.temperature,
            seed=budget.seed,
            greedy_first=self.options.greedy_first,
        )
        room = self.engine.model.context - min(budget.max_tokens, self.engine.model.context // 3)
        ids = self.prompt.encode(window, room)
        how.max_tokens = min(how.max_tokens, self.engine.model.context - len(ids))
        constraint = None
        if self._calls is not None:
            spans = find_spans(window) if self._narrow else Spans()
            constraint = self._calls.narrowed(spans, self.lexicon if self._narrow else Lexicon()).matcher
        found: dict[int, Segment] = {}
        texts: set[str] = set()

        def told(row: int, draft: Draft) -> bool:
            segment = self._segment(draft)
            if segment.text in texts or not (segment.complete or self._calls is None):
                return False
            texts.add(segment.text)
            found[row] = segment
            return watch is not None and watch(segment)

        drafts = self.engine.write(ids, how, constraint, self._bias(control), told)
        if not found:
            found[0] = _gave_up(self._segment(drafts[0]))
            if watch is not None:
                watch(found[0])
        return [found[row] for row in sorted(found)]

    def _segment(self, draft: Draft) -> Segment:
        text = self.tokenizer.backend_tokenizer.decode(draft.tokens, skip_special_tokens=False)
        return Segment(
            text=text.strip() if self._calls is None else text,
            logprob=draft.logprob,
            tokens=len(draft.tokens),
            forced=draft.forced,
            complete=draft.complete,
            entropy=draft.entropy,
            low=draft.low,
        )

    def _bias(self, control: Control) -> Bias | None:
        tools, calls = self._tools, self._calls
        if tools is None or calls is None or not control.tool_prior:
            return None
        before, weight, prior = len(_BEFORE_NAME.encode()), self.options.prior_weight, control.tool_prior

        def bias(written: Sequence[int]) -> Mapping[int, float]:
            size = at = 0
            while at < len(written) and size < before:
                size += len(calls.token_bytes[written[at]])
                at += 1
            # A token that runs over into the name belongs to the name.
            at -= size > before
            return tools.bias(prior, written[at:], weight=weight) if size >= before else {}

        return bias


def without_policy(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The call schema without the optional `policy`."""
    cases = [
        {**case, "properties": {key: part for key, part in case["properties"].items() if key != "policy"}}
        for case in schema["anyOf"]
    ]
    return {**schema, "anyOf": cases}


def _gave_up(segment: Segment) -> Segment:
    """A valid call in place of one that did not end within its budget."""
    summary = "the next call did not fit into the token budget"
    call = {"tool": "finish", "args": {"status": "unsure", "summary": summary}}
    return segment.model_copy(update={"text": json.dumps(call, separators=(",", ":"))})


def _load(folder: Path, device: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    tokenizer: Any = None
    disable_progress_bar()  # type: ignore[no-untyped-call]  # of transformers; it would break into the live view
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True)
        if (folder / "tokenizer.json").is_file():
            tokenizer = load_tokenizer(folder)
        if tokenizer is None or not is_tiny(tokenizer):
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"not a loadable model: {str(error).splitlines()[0]}", where=str(folder)) from error
    return model.to(device).eval(), tokenizer
