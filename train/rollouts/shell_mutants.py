"""Shell commands that are nearly right: one path, flag, number, operator or stage of the gold command is another."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|\|\||&&|>>|[|;<>&]|[^\s|;<>&'\"]+")
_STAGE = re.compile(r"\s*(?:\|\||&&|\||;)\s*")
_NUMBER = re.compile(r"(?<![\w./-])\d+(?![\w./-])")

# Each command with what a person might confuse it with.
CONFUSED = (
    (r"\bhead\b", "tail"), (r"\btail\b", "head"), (r"\bsort -n\b", "sort"), (r"\bsort -r\b", "sort"),
    (r"\bsort -u\b", "sort"), (r"\bsort(?! -)", "sort -r"), (r"\bsort(?! -)", "sort -n"), (r"\buniq -c\b", "uniq"),
    (r"\bgrep -v\b", "grep"), (r"\bgrep -c\b", "grep"), (r"\bgrep -c\b", "grep -v"), (r"\bgrep(?! -)", "grep -v"),
    (r"\bgrep(?! -)", "grep -c"), (r"\bgrep -rl\b", "grep -r"), (r"\bgrep -i\b", "grep"), (r"\bwc -l\b", "wc -w"),
    (r"\bwc -w\b", "wc -c"), (r"\bwc -c\b", "wc -l"), (r"\bsha256sum\b", "md5sum"), (r"\bmd5sum\b", "sha256sum"),
    (r"\bsha1sum\b", "sha256sum"), (r"\bsha256sum -c\b", "sha256sum"), (r"a\+x\b", "a-x"), (r"a\+x\b", "a+r"),
    (r"\ba-w\b", "a+w"), (r"\bchmod 600\b", "chmod 644"), (r"\bchmod 644\b", "chmod 600"), (r"\b755\b", "644"),
    (r"\btar -czf\b", "tar -cf"), (r"\btar -xf\b", "tar -tf"), (r"\bunzip\b", "unzip -l"), (r"\bzip -r\b", "zip"),
    (r"\bcp -r\b", "cp"), (r"\bcp\b", "mv"), (r"\bmv\b", "cp"), (r"\bmkdir -p\b", "mkdir"), (r"\bln -s\b", "ln"),
    (r"-type f\b", "-type d"), (r"-name\b", "-iname"), (r"-empty\b", "-size +0"), (r"-delete\b", "-print"),
    (r"\bcut -d , -f\b", "cut -f"), (r"\bjq -r\b", "jq"), (r"\becho\b", "printf"), (r"\bxargs sed\b", "sed"),
    (r"/g'", "'"), (r"\bsed -i\b", "sed"), (r"\brestore\b", "checkout -b"), (r"\bswitch -qc\b", "branch"),
    (r"\bcommit -qm\b", "commit -q --dry-run -m"),
    (r"\btail -n \+", "tail -n "), (r"\bdiscover -q -s\b", "discover -s"),
    (r"\becho \$\?", "echo $!"), (r"\$\?", "0"), (r"\bgzip -k\b", "gzip"), (r"\btimeout\b", "sleep"),
)  # fmt: skip


def mutants(cmd: str, names: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Variants of a command with what was changed; may repeat, in random order, without the command itself.

    Args:
        cmd: the gold command.
        names: paths and words that the window shows.
        rng: decides what is put in place of names.
    """
    found = [*_confused(cmd), *_redirects(cmd), *_stages(cmd), *_numbers(cmd, rng), *_flags(cmd)]
    found += [*_names(cmd, names, rng)] * 2  # what small models get wrong most
    rng.shuffle(found)
    yield from ((text, how) for text, how in found if text.strip() and text != cmd)


def _confused(cmd: str) -> Iterator[tuple[str, str]]:
    for pattern, other in CONFUSED:
        changed = re.sub(pattern, lambda _, other=other: other, cmd, count=1)  # type: ignore[misc]
        if changed != cmd:
            yield changed, "another command or flag"


def _redirects(cmd: str) -> Iterator[tuple[str, str]]:
    if ">>" in cmd:
        yield cmd.replace(">>", ">", 1), "overwrites instead of appending"
    elif ">" in cmd:
        yield cmd.replace(">", ">>", 1), "appends instead of overwriting"
        yield re.sub(r"\s*>\s*\S+\s*$", "", cmd), "output not stored"
        target = re.search(r">\s*(\S+)\s*$", cmd)
        source = re.search(r"(\S+)\s*>\s*\S+\s*$", cmd)
        if target and source:
            yield cmd[: target.start(1)] + source[1], "output over its own source"


def _stages(cmd: str) -> Iterator[tuple[str, str]]:
    cuts = [(m.start(), m.end()) for m in _STAGE.finditer(cmd) if not _quoted(cmd, m.start())]
    if not cuts:
        return
    target = re.search(r"\s*>\s*\S+\s*$", cmd)
    yield cmd[cuts[0][1] :], "first part dropped"
    kept = cmd[: cuts[-1][0]]
    yield kept + (target[0] if target and target.start() > cuts[-1][0] else ""), "last part dropped"
    if len(cuts) > 1:
        yield cmd[: cuts[0][0]] + cmd[cuts[1][0] :], "middle part dropped"


def _numbers(cmd: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    for match in _NUMBER.finditer(cmd):
        value = int(match[0])
        for other in (value + 1, max(0, value - 1), rng.randint(0, 20)):
            yield cmd[: match.start()] + str(other) + cmd[match.end() :], "another number"


def _flags(cmd: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\s-[A-Za-z]+\b", cmd):
        if not _quoted(cmd, match.start()):
            yield cmd[: match.start()] + cmd[match.end() :], "a flag dropped"


def _names(cmd: str, names: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    known = set(names)
    spots = [m for m in _TOKEN.finditer(cmd) if _bare(m[0]) in known or ("." in m[0] and re.search(r"\w\.\w", m[0]))]
    others = [n for n in names if re.fullmatch(r"[\w./-]+", n)]
    for spot in spots:
        for other in rng.sample(others, min(2, len(others))):
            if other != _bare(spot[0]):
                yield cmd[: spot.start()] + _like(spot[0], other) + cmd[spot.end() :], "another name of the window"
    for a, b in itertools.pairwise(spots):
        middle = cmd[a.end() : b.start()]
        yield cmd[: a.start()] + b[0] + middle + a[0] + cmd[b.end() :], "names swapped"
        yield cmd[: a.start()] + b[0] + middle + b[0] + cmd[b.end() :], "the same name twice"


def _bare(token: str) -> str:
    return token[1:-1] if len(token) > 1 and token[0] in "'\"" else token


def _like(token: str, name: str) -> str:
    return f"{token[0]}{name}{token[0]}" if token[0] in "'\"" else name


def _quoted(cmd: str, at: int) -> bool:
    head = cmd[:at]
    return head.count("'") % 2 == 1 or head.count('"') % 2 == 1
