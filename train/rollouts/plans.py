"""Plans and checks that are nearly right: steps reordered, dropped, merged or split; checks that prove too little."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_JOIN = re.compile(r"(?:, | and | then |; )")
_KINDS: dict[str, tuple[str, ...]] = {"file": ("dir", "link"), "dir": ("file",), "link": ("file",), "any": ("link",)}


def plan_mutants(steps: Sequence[str], rng: random.Random) -> Iterator[tuple[list[str], str]]:
    """Other plans for the goal of this one, in random order."""
    plan = list(steps)
    found: list[tuple[list[str], str]] = []
    if len(plan) > 1:
        at = rng.randrange(len(plan) - 1)
        swapped = [*plan]
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        found.append((swapped, "steps reordered"))
        gone = rng.randrange(len(plan))
        found.append(([*plan[:gone], *plan[gone + 1 :]], "a step dropped"))
        found.append(([*plan[:at], f"{plan[at]} and {plan[at + 1]}", *plan[at + 2 :]], "steps merged"))
        found.append(([*plan, plan[gone]], "a step twice"))
    for at, step in enumerate(plan):
        cuts = [m for m in _JOIN.finditer(step) if m.start() > 3 and m.end() < len(step) - 3]
        if cuts:
            cut = rng.choice(cuts)
            found.append(([*plan[:at], step[: cut.start()], step[cut.end() :], *plan[at + 1 :]], "a step split"))
        words = step.split(" ")
        if len(words) > 4:
            found.append(([*plan[:at], " ".join(words[:-2]), *plan[at + 1 :]], "the end of a step lost"))
            found.append(([*plan[:at], " ".join(words[2:]), *plan[at + 1 :]], "the start of a step lost"))
    rng.shuffle(found)
    yield from ((p, how) for p, how in found if p and p != plan)


def check_mutants(
    check: Mapping[str, Any], files: Sequence[str], names: Sequence[str], rng: random.Random
) -> Iterator[tuple[dict[str, Any], str]]:
    """Other checks for a finished step, in random order.

    Args:
        check: the gold's check.
        files: what was there when the step began (a check on it alone proves nothing).
        names: paths and words that the window shows.
        rng: decides.
    """
    found: list[tuple[dict[str, Any], str]] = []
    path = check.get("path")
    if path:
        found.append(({"kind": "exists", "path": path}, "weak check"))
        found.append(({"kind": "absent", "path": path}, "wrong check"))
        for other in rng.sample(list(names), min(2, len(names))):
            found.append(({**check, "path": other}, "check of another path"))
    for file in rng.sample(list(files), min(2, len(files))):
        found.append(({"kind": "exists", "path": file.rstrip("/")}, "check of what was there before"))
    for kind in _KINDS.get(str(check.get("type")), ()):
        found.append(({**check, "type": kind}, "wrong type"))
    for field in ("text", "value", "key", "member", "target", "mode", "other"):
        value = check.get(field)
        if isinstance(value, str) and value:
            for other in rng.sample(list(names), min(1, len(names))):
                if field != "mode":
                    found.append(({**check, field: other}, f"another {field}"))
            if field == "text":
                opposite = {"contains": "lacks", "lacks": "contains", "equals": "lacks"}.get(str(check["kind"]))
                if opposite:
                    found.append(({**check, "kind": opposite}, "wrong check"))
                if len(value.split()) > 1:
                    found.append(({"kind": "contains", "path": path, "text": value.split()[0]}, "weak check"))
    cmd = check.get("cmd")
    if isinstance(cmd, str):
        found.append(({"kind": "command", "cmd": f"! {cmd}"}, "wrong check"))
        found.append(({"kind": "command", "cmd": "true"}, "weak check"))
        for word in cmd.split():
            if re.search(r"\w[./]\w", word):
                found.append(({"kind": "exists", "path": word.strip("'\"").removeprefix("./")}, "weak check"))
                for other in rng.sample(list(names), min(1, len(names))):
                    found.append(({**check, "cmd": cmd.replace(word, other)}, "check of another path"))
    rng.shuffle(found)
    yield from ((c, how) for c, how in found if c != dict(check))
