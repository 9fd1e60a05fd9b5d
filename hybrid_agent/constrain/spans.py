"""What a call may copy: the spans of text that the window shows.

Copying is what small models get wrong; choosing among visible spans is not. `find_spans` lists them, `narrow`
turns them into constraints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hybrid_agent.constrain.clauses import clauses, plans
from hybrid_agent.constrain.quotes import quoted
from hybrid_agent.types import Window

MAX_SPANS = 160
MAX_PATHS = 320
MAX_NAMES = 40
MAX_RUNS = 400
MAX_LENGTH = 400  # a longer word is no name
_OPENING = "\"'`([{<"
_CLOSING = "\"'`)]}>,;:!?"
_SPLIT = re.compile(r"[=:,(){}\[\]<>\"'`|;]+")
_SEVERAL = re.compile(r"[A-Za-z0-9_][^A-Za-z0-9_]*[\s,][^A-Za-z0-9_]*[A-Za-z0-9_]")  # words, or fields of a row
_RUN = re.compile(r"[A-Za-z0-9_]+")
_PIECE = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*")  # leading dots are free: `jq .key`, `./run.sh`
_NAME = re.compile(r"[\w][\w.+-]*")
_FILE = re.compile(r"\w\.\w+$")
_PATH = re.compile(r"[^\s/]*/.*|.*\w\.\w+")


@dataclass(frozen=True, slots=True)
class Spans:
    """Visible spans, each list without repeats, most relevant first.

    Attributes:
        words: names, numbers and quoted strings.
        paths: files and folders, in full, by base name, and by parent.
        texts: quoted strings of the step.
        lines: lines of observations, exact.
        clauses: parts of the goal (phase plan only).
        plans: ways to split the goal into steps (phase plan only).
        runs: the [A-Za-z0-9_]+ runs of all that is visible.
        prose: what a text may hold of these: runs that occur outside quoted texts of several words, and those texts,
            each as a whole (a text is never copied in part).
        pieces: the [A-Za-z0-9_.+-]+ runs of words, paths and texts, without leading dots.
        names: words of the step itself that may be part of a longer name.
    """

    words: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    prose: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    plans: tuple[tuple[str, ...], ...] = ()


def find_spans(window: Window) -> Spans:
    """List what the window shows; deterministic, about 160 spans a list at most."""
    task = step_text(window)
    seen = [exchange.obs for exchange in reversed(window.exchanges)]
    texts = _unique(text for _, _, text in quoted(task))
    shown = [*seen, *window.notes]
    words = _unique(_words(task, texts, window.files, shown))
    names = _unique((word for word in _task_words(task, texts) if _NAME.fullmatch(word)), MAX_NAMES)
    paths = _unique(_paths(words, names, window.files), MAX_PATHS)
    lines = _unique((line for text in seen for line in text.split("\n") if line.strip()), extra=texts)
    sources = (task, *texts, *window.files, *shown)
    runs = _unique((run for source in sources for run in _RUN.findall(source)), MAX_RUNS)
    prose = _unique(_prose(task, texts, (*window.files, *shown)), MAX_RUNS)
    pieces = _unique((piece for group in (words, paths, texts) for span in group for piece in _pieces(span)), MAX_RUNS)
    planning = window.phase == "plan"
    parts, ways = (clauses(window.goal), _allowed(plans(window.goal), window.barred)) if planning else ((), ())
    return Spans(words, paths, texts, lines, parts, runs, prose, pieces, names, ways)


def _allowed(ways: tuple[tuple[str, ...], ...], barred: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The plans none of whose steps holds a barred clause; all of them, if no other is left."""
    return tuple(way for way in ways if not any(clause in step for step in way for clause in barred)) or ways


def _prose(task: str, texts: Iterable[str], elsewhere: Iterable[str]) -> Iterator[str]:
    """Quoted texts of several words as they are, then the runs of everything else."""
    whole = [text for text in texts if _SEVERAL.search(text)]
    yield from whole
    outside = task
    for text in sorted(whole, key=len, reverse=True):
        outside = outside.replace(text, " ")
    for source in (outside, *(text for text in texts if text not in whole), *elsewhere):
        yield from _RUN.findall(source)


def step_text(window: Window) -> str:
    """The sentence that the next call works on: the current step, or the goal where there is none."""
    if window.phase == "step" and 0 <= window.index < len(window.steps):
        return window.steps[window.index]
    return window.goal


def runs_of(text: str) -> list[str]:
    """The maximal [A-Za-z0-9_]+ runs of a text."""
    return _RUN.findall(text)


def pieces_of(text: str) -> list[str]:
    """The [A-Za-z0-9_.+-]+ runs of a shell command, without leading dots."""
    return _PIECE.findall(text)


def _pieces(span: str) -> Iterator[str]:
    for piece in _PIECE.findall(span):
        yield piece
        stem = piece.rpartition(".")[0]
        if stem:  # the module of a file, the sentence's last word
            yield stem.rstrip(".")


def _words(task: str, texts: Iterable[str], files: Iterable[str], shown: Iterable[str]) -> Iterator[str]:
    yield from _task_words(task, texts)
    yield from files
    for text in shown:
        yield from _stripped(text)


def _task_words(task: str, texts: Iterable[str]) -> Iterator[str]:
    yield from texts
    yield from _stripped(task)


def _stripped(text: str) -> Iterator[str]:
    for raw in text.split():
        word = raw.lstrip(_OPENING)
        # Closing quotes and the sentence's own punctuation go, dots inside names stay.
        while word and (word[-1] in _CLOSING or (word[-1] == "." and word.strip("."))):
            word = word[:-1]
        if word:
            yield word
            if _SPLIT.search(word):  # KEY=value, "port":8080
                for part in _SPLIT.split(word):
                    if part:
                        yield part


def _paths(words: Iterable[str], step: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    yield "."
    names = [*files, *(word for word in words if _PATH.fullmatch(word) and " " not in word)]
    for name in names:
        yield name
        bare = name.rstrip("/")
        if bare != name:
            yield bare
    for name in names:
        bare = name.rstrip("/")
        parent, slash, base = bare.rpartition("/")
        if slash:
            yield base
            while parent:
                yield parent
                parent = parent.rpartition("/")[0]
    yield from _joined(words, step, files)


def _joined(words: Iterable[str], step: Iterable[str], files: Iterable[str]) -> Iterator[str]:
    """Where a file that the step names may go: into one of the folders it names ("move a.txt into docs")."""
    known = {part for name in files for part in name.rstrip("/").split("/")}
    named = set(step)
    bases = [
        w.rstrip("/").rpartition("/")[2] for w in words if (w in named or "/" in w) and (_FILE.search(w) or w in known)
    ]
    folders = [name for name in (*step, *(w.rstrip("/") for w in words if "/" in w)) if not _FILE.search(name)]
    # Folders that exist or look like names come before ordinary words of the sentence.
    folders.sort(key=lambda name: (name not in known, name.isalpha()))
    for base in dict.fromkeys(bases):
        for folder in dict.fromkeys(folders):
            if base and folder != base:
                yield f"{folder}/{base}"


def _unique(spans: Iterable[str], limit: int = MAX_SPANS, extra: Iterable[str] = ()) -> tuple[str, ...]:
    """The first `limit` different spans that a constraint can spell out, and all of `extra`."""
    found: dict[str, None] = {}
    for span in spans:
        if len(found) >= limit:
            break
        if 0 < len(span) <= MAX_LENGTH and _writable(span):
            found.setdefault(span)
    for span in extra:
        found.setdefault(span)
    return tuple(found)


_UNWRITABLE = re.compile("[\x00-\x07\x0b\x0e-\x1f\x7f\ud800-\udfff]")


def _writable(span: str) -> bool:
    return _UNWRITABLE.search(span) is None
