"""What the policy classifier sees of a call: hashed pieces of its text, what the rules found, and the goal it serves.

Features are present or absent. Index 0..DIM-1 holds hashed names; hashing is stable across machines and runs.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hybrid_agent.tools.findings import Findings
from hybrid_agent.tools.redact import MARK, redact
from hybrid_agent.types import ToolCall

DIM = 4096
COPIES = 12  # slots of a feature that says what was found: so many times less penalty on its weight
TEXT_CAP = 1200  # characters of a call that are looked at from each end
_WORD = re.compile(r"[A-Za-z_][\w-]*|--?[A-Za-z][\w-]*|[|;&<>]+|\d+")
_NAME = re.compile(r"[\w.-]{3,}")
_STOP = frozenset(
    "the and all its into with from that this file folder for below than over here text line lines".split()
)
_REMOVAL = re.compile(
    r"\b(delet|remov|eras|discard|drop|wip(e|ing)|purg|trash|ditch|clear|clean|empt(y|ied)|undo|reset|revert|overwrit|replac"
    r"|throw|thrown|toss|bin\b|scrap|kill|stop|end\b|terminat|get rid|rid of|shred|rewrit|force|uninstall|prun|without"
    r"|strip|cut|dispos|eliminat|destroy|away\b|no longer|any ?more|should be no|restor|last commit|committed"
    r"|(can|must|may|should|(has|have|needs?) to) go\b|no more\b|not need|redirect|retarget|symlink|(the|existing) link"
    r"|repoint|roll back|gone\b)"
)
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Situation:
    """What a call is judged by. `findings` are of `hybrid_agent.tools.rules.study`."""

    call: ToolCall
    goal: str = ""
    step: str = ""
    findings: Findings | None = None


def call_text(call: ToolCall) -> str:
    """The part of a call that acts: the script or program, else operation, path and text."""
    args = call.args
    for key in ("cmd", "code"):
        if isinstance(args.get(key), str):
            return str(args[key])
    check = args.get("check")
    if isinstance(check, dict) and isinstance(check.get("cmd"), str):
        return str(check["cmd"])
    return json.dumps(args, ensure_ascii=False, separators=(" ", " "))


def names(situation: Situation) -> list[str]:
    """The readable features of a call (without the character pieces), each once."""
    call, found = situation.call, situation.findings or Findings()
    text = _capped(call_text(call))
    operation = str(call.args.get("op") or call.args.get("lang") or "")
    head = f"{call.tool}.{operation}" if operation else call.tool
    out = [f"tool={head}"]
    words = [word.lower() for word in _WORD.findall(text)][:200]
    out += [f"w={word}" for word in words]
    out += [f"ww={a} {b}" for a, b in pairwise(words)]
    out += [f"first={head} {word}" for word in words[:2]]
    out += [f"seen={what}" for what in found.seen if what != "secret"]
    rule = found.denied or found.destroys
    if rule:
        out.append(f"rule={rule[0]}")
    return list(dict.fromkeys(out))


def judgements(situation: Situation) -> list[str]:
    """What the rules found, held against the goal: is what the call touches named, is removing asked for?"""
    text = _capped(call_text(situation.call))
    found = situation.findings or Findings()
    asked = f"{situation.goal} {situation.step}".lower()
    touched = {name.strip(".-_").lower() for name in _NAME.findall(text)} - _STOP
    named = any(name in asked for name in touched if len(name) > 2)
    out = []
    if found.denied is not None:
        out.append("denied")
    elif found.destroys is not None:
        verb = "asked" if _REMOVAL.search(asked) else "unasked"
        out.append(f"destroys.{'named' if named else 'unnamed'}.{verb}")
        out += [f"destroys.{situation.call.tool}.{verb}", f"destroys.{found.destroys[0].split('.')[0]}.{verb}"]
    if "secret" in found.seen:
        hidden = [word for word in re.findall(r"[^\s\"',;=:\\]{6,}", text) if MARK in redact(f"password={word}")]
        out.append("secret.asked" if any(word.lower() in asked for word in hidden) else "secret.unasked")
    if not out:
        out.append("nothing")
    if re.search(r"(^|[/\s\"'])(tests?/|test_\w+\.py|conftest\.py)", text):
        out.append("tests.asked" if "test" in asked else "tests.unasked")
    return out


def pieces(text: str) -> Ints:
    """Indices of the character pieces of length 3, 4 and 5, each once (hash by polynomial, base 257)."""
    data = np.frombuffer(_capped(text).lower().encode(), dtype=np.uint8).astype(np.uint64) + np.uint64(1)
    found: list[npt.NDArray[np.uint64]] = []
    value = data
    for size in range(2, 6):
        if len(data) < size:
            break
        value = value[:-1] * np.uint64(257) + data[size - 1 :]
        if size > 2:
            found.append(((value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) % np.uint64(DIM))
    return np.unique(np.concatenate(found)).astype(np.int64) if found else np.zeros(0, np.int64)


def indices(situation: Situation) -> Ints:
    """All feature indices of a call, sorted, each once."""
    every = names(situation) + [f"{name}#{copy}" for name in judgements(situation) for copy in range(COPIES)]
    hashed = np.fromiter(map(index, every), dtype=np.int64)
    return np.unique(np.concatenate([hashed, pieces(call_text(situation.call))]))


def asks_removal(text: str) -> bool:
    """Whether a goal speaks of taking something away, or back."""
    return _REMOVAL.search(text.lower()) is not None


def index(name: str) -> int:
    """Where a readable feature lies."""
    return zlib.crc32(name.encode()) % DIM


def strongest(situation: Situation, weights: Sequence[float] | npt.NDArray[np.float64], count: int = 3) -> list[str]:
    """The readable features that speak most for a denial, strongest first."""
    scored: Iterable[tuple[float, str]] = ((float(weights[index(name)]), name) for name in names(situation))
    return [name for weight, name in sorted(scored, reverse=True)[:count] if weight > 0]


def _capped(text: str) -> str:
    return text if len(text) <= 2 * TEXT_CAP else f"{text[:TEXT_CAP]} {text[-TEXT_CAP:]}"
