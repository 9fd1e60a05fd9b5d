"""From one record of a source to one line of training text, and from lines to tokens.

sequences    {"segments": [...]}, {"turns": [...]} or {"messages": [...]} (train.chat_data)
episodes     an entry of an index of episodes: the right calls of its trace, if the judge passed it
contexts     labelled candidates: the call that passed, if one did
messages     {"messages": [{"role": ..., "content": ...}, ...]}
completion   {"prompt": ..., "completion": ...}, both texts or both messages
text         {"text": ...}; loss on all of it
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from transformers import PreTrainedTokenizerFast

from hybrid_agent.config.explain import explain
from hybrid_agent.config.mixture import SourceConfig
from hybrid_agent.decoder.prompt import is_tiny
from hybrid_agent.errors import InputError
from hybrid_agent.traces.contexts import Context
from hybrid_agent.traces.episodes import EpisodeEntry
from hybrid_agent.traces.reader import read_trace
from hybrid_agent.traces.window_text import CALL, END, GOAL, OBS, plain, render_turns
from train.chat_data import ChatFormat, ChatLine, ChatTurn, Message
from train.data import Line, Segment, encode
from train.packing import Sample

FIELDS = {
    "messages": ("messages",),
    "completion": ("prompt", "completion"),
    "text": ("text",),
    "sequences": ("segments", "turns", "messages"),
    "episodes": (),
    "contexts": (),
}


def line_of(record: Mapping[str, Any], source: SourceConfig, where: str, end: str) -> ChatLine | None:
    """The line that a record of a source makes; None if it has nothing to learn from.

    Args:
        record: as the reader gave it.
        source: its format and what its fields are called.
        where: for errors.
        end: the tokenizer's end token, put behind a completion.

    Raises:
        InputError: a field is missing or wrong.
    """
    try:
        line = _line(record, source, where, end)
    except ValidationError as error:
        raise explain(error, ChatLine, where=where) from None
    return line.model_copy(update={"kind": source.kind}) if line is not None and source.kind else line


def _line(record: Mapping[str, Any], source: SourceConfig, where: str, end: str) -> ChatLine | None:
    if source.format == "episodes":
        return _of_episode(EpisodeEntry.model_validate_json(json.dumps(record)), source)
    if source.format == "contexts":
        return _of_context(Context.model_validate_json(json.dumps(record)))
    named = {name: record.get(source.columns.get(name, name)) for name in FIELDS[source.format]}
    given: dict[str, Any] = {name: value for name, value in named.items() if value}
    more = {key: record[key] for key in ("weight", "kind") if record.get(key) is not None}
    if not given or (source.format == "completion" and len(given) < 2):
        missing = next(name for name in FIELDS[source.format] if name not in given)
        fix = f"give it, or say what it is called: columns={{{missing}: NAME}}; there are {', '.join(record)}"
        raise InputError(f"there is no {missing}", where=where, field=missing, fix=fix)
    if source.format == "text":
        return ChatLine(segments=(Segment(text=f"{given['text']}{end}", train=True),), **more)
    if source.format == "completion":
        prompt, completion = given["prompt"], given["completion"]
        if isinstance(prompt, str) and isinstance(completion, str):
            answer = Segment(text=completion + end, train=True)
            return ChatLine(segments=(Segment(text=prompt, train=False), answer), **more)
        given = {"messages": [*prompt, *completion]}
    if "messages" in given:
        # Rows of a table have every column: what a message does not use is None there.
        given = {"messages": [{k: m.get(k) or "" for k in ("role", "content")} for m in given["messages"]]}
    return ChatLine.model_validate_json(json.dumps({**given, **more}))


def _of_episode(entry: EpisodeEntry, source: SourceConfig) -> ChatLine | None:
    if entry.label != "pass":
        return None
    path = Path(source.path).expanduser()
    trace = read_trace((path if path.is_dir() else path.parent) / entry.trace)
    turns = tuple(
        ChatTurn(window=step.window, call=step.content)
        for step in trace.steps
        # A refused call, or a check that did not hold, is nothing to learn from.
        if step.window is not None and step.verdict is not None and step.verdict.allow
        if step.action != "plan" or step.ok
    )
    return ChatLine(turns=turns, kind=entry.pack) if turns else None


def _of_context(context: Context) -> ChatLine | None:
    passed = [candidate for candidate in context.candidates if candidate.label == "pass"]
    if not passed:
        return None
    best = next((candidate for candidate in passed if candidate.stratum == "gold"), passed[0])
    return ChatLine(turns=(ChatTurn(window=context.window, call=best.segment.text),), kind=context.pack)


def text_of(line: ChatLine) -> str:
    """All that the line says, as one text (for hashes and for the search for held-out texts)."""
    return line.model_dump_json(include={"turns", "messages", "segments"}, exclude_defaults=True)


class Encoder:
    """From lines to samples, in the form that the tokenizer's model reads.

    Args:
        tokenizer: of the tiny decoder (control tokens of `hybrid_agent.traces.window_text`), or of any other model
            (its chat template, see train.chat_data).
        context: tokens of the longest sample.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, context: int) -> None:
        self.tokenizer, self.context = tokenizer, context
        self.end = str(tokenizer.eos_token or "")
        self._chat = None if is_tiny(tokenizer) else ChatFormat(tokenizer, context)

    def samples(self, lines: Sequence[ChatLine]) -> list[Sample]:
        """The samples of some lines, in order; answers that do not fit into the context are left out."""
        if self._chat is not None:
            return [self._sample(row.ids, row.answer, line) for line in lines for row in self._chat.rows(line)]
        pieces = [(line, part) for line in lines for part in tiny_lines(line)]
        made = encode([part for _, part in pieces], self.tokenizer, self.context)
        return [self._sample(*row, line) for (line, _), row in zip(pieces, made, strict=True) if row is not None]

    def _sample(self, ids: list[int], answer: list[int], line: ChatLine) -> Sample:
        return Sample(np.array(ids, np.int32), np.array(answer, np.int16), line.weight, line.kind)


def tiny_lines(line: ChatLine) -> list[Line]:
    """The sequences of a line as the tiny decoder reads them; what comes before the first answer is the goal."""
    if line.turns:
        made = render_turns((turn.window, turn.call) for turn in line.turns)
        return [_tiny([Segment(text=p.text, train=p.train) for p in pieces], line) for pieces in made]
    if line.messages:
        return [_tiny(_tiny_messages(line.messages), line)]
    return [_tiny(line.segments, line)]


def _tiny(segments: Sequence[Segment], line: ChatLine) -> Line:
    return Line(segments=tuple(segments), weight=line.weight, kind=line.kind)


def _tiny_messages(messages: Sequence[Message]) -> list[Segment]:
    segments: list[Segment] = []
    before: list[str] = []
    for message in messages:
        if message.role != "assistant":
            before.append(plain(message.content))
            continue
        mark = OBS if segments else GOAL
        segments.append(Segment(text=mark + "\n".join(before) + CALL, train=False))
        segments.append(Segment(text=plain(message.content) + END, train=True))
        before = []
    return segments or [Segment(text=GOAL + "\n".join(before), train=False)]
