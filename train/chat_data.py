"""Training sequences for models with a chat template: the very prompts that serving shows, loss on the calls only.

A data file is JSONL (or .jsonl.gz); each line has one of

    {"turns": [{"window": {...}, "call": "{...}"}, ...]}               windows with the right call, in order
    {"messages": [{"role": "user", "content": "..."}, ...]}            a conversation; loss on the assistant's turns
    {"segments": [{"text": "...", "train": true}, ...]}                text as it is (train.data)

and may have `weight` and `kind`. A prompt is tokenised as `hybrid_agent.decoder.prompt` does it for decoding, the
answer for itself with the model's end token behind it: what is trained is what is generated. A turn whose prompt
begins with all tokens so far joins their sequence, so a growing conversation is read once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import Field, ValidationError, model_validator
from transformers import PreTrainedTokenizerFast

from hybrid_agent.config.explain import explain
from hybrid_agent.decoder.prompt import ChatPrompt, Prompt, TinyPrompt, is_tiny
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import tokenizer_hash
from hybrid_agent.runs.atomic import file_hash, write_atomic
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.traces.window_text import plain
from hybrid_agent.types import Budget, Record, Window
from train.data import Segment, Sequences, read_lines

FORMAT = 1
ANSWER_ROOM = Budget().max_tokens  # what serving keeps free behind a prompt


class ChatTurn(Record):
    """A window and the call (JSON text) that was right."""

    window: Window
    call: str


class Message(Record):
    """One turn of a conversation."""

    role: str
    content: str


class ChatLine(Record):
    """One line of a data file."""

    turns: tuple[ChatTurn, ...] = ()
    messages: tuple[Message, ...] = ()
    segments: tuple[Segment, ...] = ()
    weight: float = Field(default=1.0, ge=0)
    kind: str = ""

    @model_validator(mode="after")
    def _one(self) -> ChatLine:
        if sum(map(bool, (self.turns, self.messages, self.segments))) != 1:
            raise ValueError("give one of turns, messages and segments")
        return self


@dataclass(frozen=True)
class Row:
    """A sequence: token ids, and for each 0 or the number of the answer it belongs to."""

    ids: list[int]
    answer: list[int]


class ChatFormat:
    """From windows or conversations to token ids.

    Args:
        tokenizer: with an end token; one without a chat template gets plain paragraphs.
        context: tokens of the longest sequence.
        schema: of the calls; the default is what serving uses.

    Raises:
        InputError: the tokenizer has no end token.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, context: int, schema: Mapping[str, Any] | None = None
    ) -> None:
        if tokenizer.eos_token_id is None:
            fix = "set eos_token in its tokenizer_config.json"
            raise InputError("the tokenizer has no end token", where=str(tokenizer.name_or_path), fix=fix)
        self.tokenizer, self.context, self.end = tokenizer, context, int(tokenizer.eos_token_id)
        self._tiny = is_tiny(tokenizer)
        # As HfDecoder chooses it.
        self.prompt: Prompt = TinyPrompt(tokenizer) if self._tiny else ChatPrompt(tokenizer, schema or call_schema())
        self._room = context - min(ANSWER_ROOM, context // 3)

    def rows(self, line: ChatLine) -> list[Row]:
        """The sequences of a line; turns that do not fit are left out."""
        if line.segments:
            return self._as_it_is(line.segments)
        pairs = self._turns(line.turns) if line.turns else self._conversation(line.messages)
        return self._joined(pairs)

    def _turns(self, turns: Iterable[ChatTurn]) -> Iterator[tuple[list[int], list[int]]]:
        for turn in turns:
            prompt = self.prompt.encode(turn.window, self._room)
            if len(prompt) < self._room:  # else it was cut off at its end: the question is missing
                yield prompt, [*self._ids(plain(turn.call) if self._tiny else turn.call), self.end]

    def _conversation(self, messages: Sequence[Message]) -> Iterator[tuple[list[int], list[int]]]:
        if not self.tokenizer.chat_template:
            fix = "give turns or segments instead"
            raise InputError("conversations need a tokenizer with a chat template", field="messages", fix=fix)
        for number, message in enumerate(messages):
            if message.role == "assistant":
                before = [m.model_dump() for m in messages[:number]]
                text = self.tokenizer.apply_chat_template(before, tokenize=False, add_generation_prompt=True)
                yield self._ids(str(text)), [*self._ids(message.content), self.end]

    def _joined(self, pairs: Iterable[tuple[list[int], list[int]]]) -> list[Row]:
        rows: list[Row] = []
        for prompt, answer in pairs:
            if len(prompt) + len(answer) > self.context:
                continue
            last = rows[-1] if rows else None
            if last is None or prompt[: len(last.ids)] != last.ids:
                last = Row([], [])
                rows.append(last)
            number = max(last.answer, default=0) + 1
            last.answer.extend([0] * (len(prompt) - len(last.ids)) + [number] * len(answer))
            last.ids[:] = [*prompt, *answer]
        return rows

    def _as_it_is(self, segments: Iterable[Segment]) -> list[Row]:
        row, number, end = Row([], []), 0, 0
        for segment in segments:
            ids = self._ids(segment.text)
            number += segment.train
            row.ids.extend(ids)
            row.answer.extend([number if segment.train else 0] * len(ids))
            if segment.train and len(row.ids) <= self.context:
                end = len(row.ids)
        return [Row(row.ids[:end], row.answer[:end])] if end else []

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)


def read_chat(path: Path) -> Iterator[ChatLine]:
    """Read a data file line by line.

    Raises:
        InputError: the file is missing or a line is none of the three kinds; names the line.
    """
    if not path.is_file():
        raise InputError("no such data file", where=str(path), field="stage.data")
    for number, line in enumerate(read_lines(path), 1):
        try:
            yield ChatLine.model_validate_json(line)
        except ValidationError as error:
            raise explain(error, ChatLine, where=f"{path}:{number}") from None


def load_chat(path: Path, tokenizer: PreTrainedTokenizerFast, context: int, cache: Path) -> Sequences:
    """Tokenise a data file once; later calls with the same file, tokenizer, template, tools and context read the cache.

    Raises:
        InputError: the file is missing, a line is wrong, or nothing fits into the context.
    """
    if not path.is_file():
        raise InputError("no such data file", where=str(path), field="stage.data")
    made_of = (FORMAT, file_hash(path), tokenizer_hash(tokenizer), str(tokenizer.chat_template), context)
    text = json.dumps([*made_of, tokenizer.eos_token, call_schema()], sort_keys=True)
    stored = cache / f"chat-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"
    if not stored.is_file():
        arrays = _tokenise(path, ChatFormat(tokenizer, context))
        write_atomic(stored, lambda temp: _save(temp, arrays))
    with np.load(stored, allow_pickle=False) as z:
        names = tuple(str(n) for n in z["kind_names"])
        return Sequences(z["tokens"], z["answer"], z["starts"], z["weights"], z["kinds"], names, int(z["dropped"]))


def _tokenise(path: Path, how: ChatFormat) -> dict[str, Any]:
    # Large vocabularies do not fit into the 16 bits that the tiny one needs.
    kind = np.uint16 if len(how.tokenizer) <= 2**16 else np.uint32
    tokens, answers, weights, kinds, names = [], [], [], [], cast(dict[str, int], {})
    dropped = 0
    for line in read_chat(path):
        rows = how.rows(line)
        dropped += not rows
        for row in rows:
            tokens.append(np.array(row.ids, kind))
            answers.append(np.array(row.answer, np.int16))
            weights.append(line.weight)
            kinds.append(names.setdefault(line.kind, len(names)))
    if not tokens:
        fix = "give a larger model.context"
        raise InputError(f"no sequence has an answer within {how.context} tokens", where=str(path), fix=fix)
    return {
        "tokens": np.concatenate(tokens),
        "answer": np.concatenate(answers),
        "starts": np.concatenate([[0], np.cumsum([len(t) for t in tokens])]).astype(np.int64),
        "weights": np.array(weights, np.float32),
        "kinds": np.array(kinds, np.int16),
        "kind_names": np.array(list(names)),
        "dropped": np.array(dropped),
    }


def _save(temp: Path, arrays: dict[str, Any]) -> None:
    with temp.open("wb") as handle:
        np.savez(handle, **arrays)
