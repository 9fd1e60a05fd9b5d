"""Hard rules: what a call may do, decided from the call and the workspace before anything acts."""

from __future__ import annotations

import posixpath
from typing import Any

from hybrid_agent.tools import command_rules, content_rules, python_rules
from hybrid_agent.tools.ask import AskArgs
from hybrid_agent.tools.editor import Append, Delete, EditorArgs, Insert, Prepend, Replace, ReplaceAll, Set
from hybrid_agent.tools.exec_code import CodeArgs
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.findings import NOTHING_KNOWN, Facts, Findings, Where
from hybrid_agent.tools.finish import FinishArgs
from hybrid_agent.tools.fs import LOOKING, FsAppend, FsChmod, FsLink, FsWrite
from hybrid_agent.tools.plan import PlanDone, PlanSet
from hybrid_agent.tools.shell import ShellArgs
from hybrid_agent.tools.shell_rules import ShellJudge
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types import CommandCheck, Verdict

MAX_SHELL = 20_000


def judge(args: Any, facts: Facts = NOTHING_KNOWN) -> Verdict:
    """The verdict of the rules on the args of a call; whether it is approved is the toolbox's business."""
    return study(args, facts).verdict()


def study(args: Any, facts: Facts = NOTHING_KNOWN) -> Findings:
    """All that the rules find out about the args of a call."""
    findings = Findings()
    match args:
        case ShellArgs():
            ShellJudge(facts, findings).script(args.cmd)
        case CodeArgs() if args.lang == "bash":
            _long(args.code, findings, facts)
        case CodeArgs():
            python_rules.judge(args.code, facts, findings)
        case PlanDone() if isinstance(args.check, CommandCheck):
            ShellJudge(facts, findings).script(args.check.cmd)
        case EditorArgs():
            _inside(findings, args.path)
            findings.change()
            _edits(args, findings)
        case PlanSet() | PlanDone() | AskArgs() | FinishArgs():
            pass
        case _:
            _files(args, findings, facts)
    return findings


def judge_shell(command: str, facts: Facts = NOTHING_KNOWN) -> Verdict:
    """The verdict on a shell command alone."""
    findings = Findings()
    ShellJudge(facts, findings).script(command)
    return findings.verdict()


def _long(code: str, findings: Findings, facts: Facts) -> None:
    if len(code) > MAX_SHELL:
        findings.deny("shell.syntax", f"the script is longer than {MAX_SHELL} characters")
    else:
        ShellJudge(facts, findings).script(code)


def _edits(args: EditorArgs, findings: Findings) -> None:
    for edit in args.edits:
        match edit:
            case Replace() | ReplaceAll():
                content_rules.edited(args.path, edit.find, edit.text, findings)
            case Insert() | Prepend() | Append():
                content_rules.edited(args.path, "", edit.text, findings)
            case Delete():
                content_rules.edited(args.path, edit.find, "", findings)
            case Set():
                content_rules.edited(args.path, "", f"{edit.key}={edit.value}", findings)
            case _:
                content_rules.edited(args.path, "", "", findings)


def _files(args: Any, findings: Findings, facts: Facts) -> None:
    _inside(findings, args.path)
    if hasattr(args, "to") and args.op != "link":
        _inside(findings, args.to)
    if args.op == "remove":
        findings.destroy("fs.remove", f"removes {args.path}")
    elif args.op not in LOOKING:
        findings.change()
    match args:
        case FsWrite() | FsAppend():
            content_rules.written(args.path, args.text, facts, findings, whole=args.op == "write")
        case FsChmod():
            command_rules.mode(args.mode, findings)
        case FsLink():
            target = args.to if args.to.startswith(("/", "~")) else f"{posixpath.dirname(args.path) or '.'}/{args.to}"
            if Where(target).relative is None:
                findings.deny("path.outside", f"the link would lead out of the workspace, to {args.to}")
    if args.op in ("copy", "move"):
        content_rules.written(args.to, "", facts, findings, whole=True)


def _inside(findings: Findings, path: str) -> None:
    try:
        Workspace.relative(path)
    except ToolFailure as failure:
        findings.deny(failure.denied or "path.outside", failure.reason)
