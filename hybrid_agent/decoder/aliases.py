"""Words that a decoder has never read, shown to it as names that it knows.

A model of a few million parameters copies names that it was trained on and falters next to others: they are many
tokens, and the wrong command or an ordinary word of the sentence gets likelier. So each unknown word of a window
changes places with a noun that training drew names from, the same one wherever it stands, and what the decoder says is
changed back (delexicalisation: Wen et al. 2015, https://arxiv.org/abs/1508.01745, for dialogue). A quoted text of
several words is one such name, if training has not quoted all of them: "the meeting is at noon" is nothing but words it
knows, which lead it astray. Nothing outside the decoder ever sees a stand-in.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.constrain.quotes import quoted
from hybrid_agent.types import Exchange, Window
from hybrid_agent.types.leaves import leaves, mapped

# An escape first: the n of "\nrocket" is no letter of the word behind it.
PIECE = re.compile(r"\\.|[A-Z][a-z]+|[a-z]+|[A-Z]{2,}", re.DOTALL)
# Words and numbers of a sentence: no names of files, no rows of a table, no code.
PROSE = re.compile(r"(?:[A-Za-z]+(?:['-][A-Za-z]+)*|\d+)(?:[,.!?:;]* (?:[A-Za-z]+(?:['-][A-Za-z]+)*|\d+))+[.!?]*")
LONGEST = 5  # words; longer texts are rare in training
SHORTEST = 3  # letters; shorter pieces (flags, parts of random strings) are few tokens anyway


class Alias:
    """How one window is shown: `window` is what the decoder reads. An alias is false if that is the window itself.

    Args:
        stand_ins: unknown word -> noun, both in lower case; no noun twice, and none that stands in the window.
        prose: quoted text -> nouns that stand for it as a whole; likewise.
    """

    def __init__(
        self, window: Window, stand_ins: Mapping[str, str], prose: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        prose = prose or {}
        wholes = {text: " ".join(nouns) for text, nouns in prose.items()}
        # Both ways, so that a text may name the noun itself, too, and so that it is its own inverse.
        self._wholes = {**wholes, **{nouns: text for text, nouns in wholes.items()}}
        self._other = {**stand_ins, **{noun: word for word, noun in stand_ins.items()}}
        for text, nouns in prose.items():  # it may be said in part: then each noun is the word in its place
            self._other.update(zip(nouns, words_of(text), strict=False))
        longest = sorted(map(re.escape, self._wholes), key=len, reverse=True)
        self._units = re.compile("|".join([*(f"{whole}(?![A-Za-z])" for whole in longest), PIECE.pattern]), re.DOTALL)
        self.window = self._shown(window) if self else window

    def __bool__(self) -> bool:
        return bool(self._other)

    def swapped(self, text: str) -> str:
        """A text about the window as the decoder reads it; or one of the decoder's as it is meant. (Of an unfinished
        text the last word may be wrong.)"""
        return self._units.sub(self._unit, text) if self else text

    def swapped_call(self, text: str) -> str:
        """The same for a call: the strings in its JSON."""
        return _in_strings(text, self.swapped) if self else text

    def _unit(self, match: re.Match[str]) -> str:
        piece = match[0]
        if piece in self._wholes:
            return self._wholes[piece]
        found = self._other.get(piece.lower())
        if found is None:
            return piece
        return found.upper() if piece.isupper() else found.capitalize() if piece[0].isupper() else found

    def _shown(self, window: Window) -> Window:
        exchanges = tuple(Exchange(call=self.swapped_call(e.call), obs=self.swapped(e.obs)) for e in window.exchanges)
        texts = {
            name: tuple(map(self.swapped, getattr(window, name))) for name in ("steps", "files", "notes", "barred")
        }
        return window.model_copy(update={"goal": self.swapped(window.goal), **texts, "exchanges": exchanges})


class Aliases:
    """Finds aliases of a window. Equal windows get equal ones, and a word keeps its noun while a window grows, unless
    the noun itself comes in.

    Args:
        known: words that the decoder was trained on, in lower case; without them everything counts as known.
        stand_ins: nouns that may stand for others; training drew names from them and used them for nothing else.
        quoted: words that training quoted in texts of several; without them no text is changed as a whole.
    """

    def __init__(self, known: Iterable[str] = (), stand_ins: Sequence[str] = (), quoted: Iterable[str] = ()) -> None:
        self._known, self._stand_ins, self._quoted = frozenset(known), tuple(stand_ins), frozenset(quoted)
        self._nouns = frozenset(stand_ins)
        self._last: tuple[Window, Alias] | None = None  # one attribute: other threads may ask, too

    def of(self, window: Window, naming: int = 0) -> Alias:
        """An alias of a window; none if there is nothing to change, or if some text could not be changed back.

        Args:
            naming: 0 changes unknown words alone; from 1 on, the nouns of the window too, for other ones each time.
        """
        if naming:
            return self._found(window, naming)
        last = self._last
        if last is None or last[0] is not window:
            last = self._last = (window, self._found(window, 0))
        return last[1]

    def _found(self, window: Window, naming: int) -> Alias:
        if not self._known or not self._stand_ins:
            return Alias(window, {})
        texts = list(_texts(window))
        # In the order of their first place: what comes later changes nothing of what came before.
        there = dict.fromkeys(piece.lower() for text in texts for piece in PIECE.findall(text))
        taken = set(there)
        prose = self._prose(window, naming, taken)
        chosen: dict[str, str] = {}
        for word in there:
            unknown = len(word) >= SHORTEST and word.isalpha() and word not in self._known
            if unknown or (naming and word in self._nouns):
                noun = self._noun(f"{word}{naming or ''}", taken)
                if noun is None:
                    break
                chosen[word] = noun
                taken.add(noun)
        alias = Alias(window, chosen, prose)
        return alias if all(alias.swapped(alias.swapped(text)) == text for text in texts) else Alias(window, {})

    def _prose(self, window: Window, naming: int, taken: set[str]) -> dict[str, tuple[str, ...]]:
        """Nouns for each quoted text that training would not have quoted; they are added to `taken`."""
        found: dict[str, tuple[str, ...]] = {}
        for text in dict.fromkeys(text for source in (window.goal, *window.steps) for _, _, text in quoted(source)):
            if not self._quoted or not PROSE.fullmatch(text) or self._quoted.issuperset(words_of(text.lower())):
                continue
            nouns = []
            for at in range(min(len(words_of(text)), LONGEST)):
                noun = self._noun(f"{text}{at}{naming or ''}", taken)
                if noun is None:
                    return found
                nouns.append(noun)
                taken.add(noun)
            found[text] = tuple(nouns)
        return found

    def _noun(self, word: str, taken: set[str]) -> str | None:
        start = zlib.crc32(word.encode())
        nouns = (self._stand_ins[(start + at) % len(self._stand_ins)] for at in range(len(self._stand_ins)))
        return next((noun for noun in nouns if noun not in taken), None)


def aliases_of(lexicon: Lexicon) -> Aliases:
    """By the words of the lexicon that lies beside a decoder."""
    return Aliases(lexicon.known, lexicon.stand_ins, lexicon.quoted)


def words_of(text: str) -> list[str]:
    """The words of a sentence, without punctuation and numbers."""
    return re.findall("[A-Za-z]+", text)


def _texts(window: Window) -> Iterator[str]:
    yield from (window.goal, *window.steps, *window.files, *window.notes, *window.barred)
    for exchange in window.exchanges:
        value = _parsed(exchange.call)
        yield from (leaf for _, leaf in leaves(value) if isinstance(leaf, str))
        yield exchange.obs


def _in_strings(text: str, change: Callable[[str], str]) -> str:
    """JSON with each string value changed; what is no JSON is changed as a whole."""
    value = _parsed(text)
    new = mapped(value, lambda _, leaf: change(leaf) if isinstance(leaf, str) else leaf)
    if value is text:
        return str(new)
    return text if new == value else json.dumps(new, ensure_ascii=False, separators=(",", ":"))


def _parsed(text: str) -> Any:
    """The value of a JSON text; what is none is a string itself."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text
