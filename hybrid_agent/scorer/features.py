"""The features f(x) of a candidate: cheap facts that need no execution, each a number in about -2..2.

Those marked bad are never good news: the energy model may only learn weights >= 0 for them. A fact that is not known
(no verdict, no log-probability) is 0. Nothing says whether the decoder wrote a candidate: most made-up ones fail, and a
model that is told who wrote a call learns that instead of what is wrong with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.constrain.clauses import clauses, plans
from hybrid_agent.constrain.spans import runs_of
from hybrid_agent.scorer.call_parts import Parts, parts_of, paths_of, shell_parses
from hybrid_agent.scorer.code_checks import CodeFacts, check_code
from hybrid_agent.scorer.view import View, numbers_in
from hybrid_agent.types import Segment, Verdict

VERSION = 2  # of what the names below mean; stored with a model and checked when it is loaded

BAD = (
    "not_a_call", "denied",
    "code_broken", "code_undefined", "code_unused_params", "code_unused_names", "code_stub", "code_odd",
    "code_numbers_unseen", "code_name_missing", "shell_broken", "shell_paths_unseen",
    "source_missing", "path_unseen", "find_missing", "find_ambiguous",
    "ordinary_word_as_name", "same_text_twice", "repeat", "repeat_failed", "nothing_to_edit",
    "words_unseen", "numbers_unseen", "named_unused",
    "done_without_work", "done_after_failure", "check_elsewhere", "check_trivial",
    "finish_early", "plan_uncovered", "plan_disordered",
    "slip_twice", "slip_left_out", "slip_no_file", "slip_filler", "slip_joined",
)  # fmt: skip
FREE = (
    "tool_shell", "tool_exec", "tool_fs", "tool_editor", "tool_plan", "tool_finish", "tool_ask", "looks", "removes",
    "phase_plan", "phase_finish", "calls_before", "last_failed", "looked_before", "changed_before",
    "has_verdict", "state_changing", "destructive", "approval_needed",
    "has_code", "code_lines", "code_complexity", "code_numbers_unused", "text_edit_of_code",
    "shell_pipes", "shell_redirects", "shell_unknown",
    "source_present", "target_present", "target_taken", "parent_missing", "path_in_clause",
    "named_used", "order_kept", "clause_used", "trigrams",
    "length", "added", "edits", "plan_steps", "plan_as_cut", "plan_listed", "check_command",
)  # fmt: skip
DECODER = ("logprob", "mean_logprob", "low", "entropy")
FEATURES = (*BAD, *FREE, *DECODER)
BAD_COUNT, DECODER_START = len(BAD), len(BAD) + len(FREE)

_INDEX = {name: i for i, name in enumerate(FEATURES)}
_COMMON_NUMBERS = frozenset(("0", "1", "2", "-1"))
_REMOVING = frozenset(("remove", "delete", "unset"))


def features(view: View, segment: Segment, verdict: Verdict | None = None) -> NDArray[np.float32]:
    """The feature vector of one candidate, float32 (len(FEATURES),).

    Args:
        view: of the window (hybrid_agent.scorer.view).
        segment: the candidate with what its decoder said of it.
        verdict: the gate's answer, where it was asked.
    """
    parts = parts_of(segment.text, view)
    found: dict[str, float] = {}
    _about_call(found, view, segment.text, parts)
    _about_verdict(found, verdict)
    if parts.code is not None:
        _about_code(found, view, parts, check_code(parts.code))
    if parts.shell:
        _about_shell(found, view, parts)
    _about_paths(found, view, parts)
    _about_words(found, view, parts)
    _about_plan(found, view, parts)
    for kind, count in view.slips.found(segment.text).items():
        if f"slip_{kind}" in _INDEX:  # "absent" is source_missing here
            found[f"slip_{kind}"] = min(count, 3) / 2
    _about_decoder(found, segment)
    row = np.zeros(len(FEATURES), np.float32)
    for name, value in found.items():
        row[_INDEX[name]] = value
    return row


def _about_call(f: dict[str, float], view: View, text: str, parts: Parts) -> None:
    f["not_a_call"] = float(not parts.tool)
    name = {"exec_code": "exec"}.get(parts.tool, parts.tool)
    if f"tool_{name}" in _INDEX:
        f[f"tool_{name}"] = 1.0
    f["looks"] = float(parts.tool == "fs" and parts.op in ("list", "read", "stat", "find"))
    f["removes"] = float(parts.op in _REMOVING or any(e.get("op") in _REMOVING for e in parts.edits))
    f["phase_plan"], f["phase_finish"] = float(view.phase == "plan"), float(view.phase == "finish")
    f["calls_before"] = min(len(view.calls), 6) / 3
    f["last_failed"] = float(view.last_ok is False)
    f["looked_before"] = float(bool(view.contents))
    f["changed_before"] = float(view.changed)
    f["repeat"] = float(text in view.calls)
    f["repeat_failed"] = float(text in view.failed)
    f["length"] = math.log1p(len(text)) / 3 - 1
    f["added"] = math.log1p(parts.added) / 4
    f["edits"] = min(len(parts.edits), 5) / 5


def _about_verdict(f: dict[str, float], verdict: Verdict | None) -> None:
    if verdict is None:
        return
    f["has_verdict"] = 1.0
    f["denied"] = float(not verdict.allow)
    f["destructive"] = float(verdict.destructive)
    f["approval_needed"] = float(verdict.approval in ("needed", "refused"))
    f["state_changing"] = float(verdict.state_changing)


def _about_code(f: dict[str, float], view: View, parts: Parts, facts: CodeFacts) -> None:
    f["has_code"], f["code_broken"] = 1.0, float(not facts.parses)
    if not facts.parses:
        return
    f["code_undefined"] = min(len(facts.undefined), 3) / 2
    f["code_unused_params"] = min(facts.unused_params, 3) / 2
    f["code_unused_names"] = min(facts.unused_names, 3) / 2
    f["code_stub"] = min(facts.stubs, 2) / 2
    f["code_odd"] = min(facts.oddities, 2) / 2
    f["code_complexity"] = math.log1p(facts.complexity) / 2
    f["code_lines"] = math.log1p((parts.code or "").count("\n")) / 3
    seen = view.numbers | _COMMON_NUMBERS
    f["code_numbers_unseen"] = _capped(number not in seen for number in facts.numbers)
    wanted = set(numbers_in(view.clause)) - _COMMON_NUMBERS
    f["code_numbers_unused"] = _share(number not in facts.numbers for number in wanted)
    names = [n for n in view.named if n.isidentifier() and n not in view.parts]
    f["code_name_missing"] = _share(name not in (parts.code or "") for name in names)


def _about_shell(f: dict[str, float], view: View, parts: Parts) -> None:
    parses = shell_parses(parts.shell)
    f["shell_broken"], f["shell_unknown"] = float(parses is False), float(parses is None)
    f["shell_pipes"] = min(parts.shell.count("|"), 4) / 4
    f["shell_redirects"] = min(parts.shell.count(">"), 2) / 2
    named = set(view.named)
    known = view.parts | {part for name in named for part in name.split("/")}
    unseen = [p for p in parts.shell_paths if not (set(p.rstrip("/").split("/")) <= known | {"*", "."})]
    f["shell_paths_unseen"] = min(len(unseen), 2) / 2


def _about_paths(f: dict[str, float], view: View, parts: Parts) -> None:
    def known(path: str) -> bool:
        return path.rstrip("/") in (*view.paths, ".", "") or any(p.startswith(path + "/") for p in view.paths)

    needs = [p for p in parts.needs if p]
    f["source_missing"] = _share(not known(p) for p in needs)
    f["source_present"] = _share(known(p) for p in needs)
    f["target_taken"] = float(any(known(p) for p in parts.taken))
    f["target_present"] = float(any(known(p) for p in parts.makes))
    parents = [p.rpartition("/")[0] for p in parts.makes if "/" in p]
    f["parent_missing"] = float(any(not known(p) for p in parents))
    every = paths_of(parts)
    f["path_unseen"] = _share(not set(runs_of(p)) <= view.visible for p in every)
    f["path_in_clause"] = _share(p in view.clause or p.rpartition("/")[2] in view.clause for p in every)
    names = {part for p in every for part in p.split("/")}
    f["ordinary_word_as_name"] = min(len(names & view.ordinary), 2) / 2
    f["find_missing"] = float(any(text is not None and find not in text for text, find in parts.finds))
    once = parts.tool == "editor" and any(e.get("op") == "replace" for e in parts.edits)
    f["find_ambiguous"] = float(once and any(t is not None and t.count(find) > 1 for t, find in parts.finds))
    code_file = any(p.endswith(".py") for p in needs)
    f["text_edit_of_code"] = float(parts.tool == "editor" and parts.text_edits and code_file)
    f["nothing_to_edit"] = float(any(e.get("find") == e.get("text") for e in parts.edits if "find" in e))


def _about_words(f: dict[str, float], view: View, parts: Parts) -> None:
    written = "\n".join(parts.strings)
    runs = runs_of(written)
    if not runs or parts.tool in ("finish", "ask"):
        return
    used = [name in written or name.rstrip("/") in written for name in view.named]
    f["named_used"] = _share(used)
    if parts.tool != "plan" and not f.get("looks"):
        f["named_unused"] = 1 - f["named_used"] if used else 0.0
    if parts.code is None and not parts.shell:  # programs and commands have words of their own
        f["words_unseen"] = _share(run not in view.visible for run in runs)
    f["numbers_unseen"] = _capped(n not in view.numbers | _COMMON_NUMBERS for n in numbers_in(written))
    long = [s for s in parts.strings if len(s) > 1]
    f["same_text_twice"] = float(len(long) != len(set(long)))
    mine = {run.lower() for run in runs}
    f["clause_used"] = _share(word in mine for word in view.words)
    f["trigrams"] = _jaccard(view.clause.lower(), written.lower())
    places = [view.clause.find(s) for s in long]
    shown = [place for place in places if place >= 0]
    if len(shown) > 1:
        f["order_kept"] = 1.0 if shown == sorted(shown) else -1.0


def _about_plan(f: dict[str, float], view: View, parts: Parts) -> None:
    if parts.tool == "finish":
        f["finish_early"] = float(view.phase != "finish")
    if parts.tool != "plan":
        return
    if parts.op == "done":
        f["done_without_work"] = float(not view.changed)
        f["done_after_failure"] = float(view.last_ok is False)
        f["check_command"] = float(bool(parts.shell))
        path, kind = str(parts.checks.get("path", "")).rstrip("/"), parts.checks.get("kind")
        # True before the step began, so it says nothing of the step.
        f["check_trivial"] = float(
            (kind == "exists" and path in view.listed) or (kind == "absent" and path not in view.listed)
        )
        f["check_elsewhere"] = float(bool(path) and not any(path.rpartition("/")[2] in c for c in view.calls))
        return
    steps = parts.strings
    planned = "\n".join(steps)
    f["plan_steps"] = min(len(steps), 8) / 4
    f["plan_uncovered"] = _share(name not in planned for name in view.named)
    places = [view.clause.find(step) for step in steps]
    f["plan_disordered"] = float(places != sorted(places) or -1 in places or len(set(places)) != len(places))
    first = set(clauses(view.clause)[: max(1, len(steps))])
    f["plan_as_cut"] = _share(step in first for step in steps)
    ways = plans(view.clause)
    f["plan_listed"] = (tuple(steps) in ways) / 2 + (tuple(steps) == (ways[0] if ways else (view.clause,))) / 2


def _about_decoder(f: dict[str, float], segment: Segment) -> None:
    chosen = segment.tokens - segment.forced
    if segment.logprob == 0 and segment.tokens == 0:
        return
    f["logprob"] = max(segment.logprob, -20.0) / 4
    f["mean_logprob"] = max(segment.logprob / max(1, chosen), -4.0)
    f["low"] = max(segment.low, -8.0) / 3
    f["entropy"] = min(segment.entropy, 3.0)


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 0.0


def _capped(flags: Iterable[bool]) -> float:
    return min(sum(flags), 3) / 3


def _jaccard(a: str, b: str) -> float:
    """Overlap of the character trigrams of two texts."""
    left, right = ({t[i : i + 3] for i in range(len(t) - 2)} for t in (a, b[:2000]))
    return len(left & right) / max(1, len(left | right))
