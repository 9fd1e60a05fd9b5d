"""Hard rules: what a call may do, decided from the call and the workspace before anything acts."""

from __future__ import annotations

from typing import Any

from hybrid_agent.tools import python_rules
from hybrid_agent.tools.ask import AskArgs
from hybrid_agent.tools.editor import EditorArgs
from hybrid_agent.tools.exec_code import CodeArgs
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.findings import NOTHING_KNOWN, Facts, Findings
from hybrid_agent.tools.finish import FinishArgs
from hybrid_agent.tools.fs import LOOKING
from hybrid_agent.tools.plan import PlanDone, PlanSet
from hybrid_agent.tools.shell import ShellArgs
from hybrid_agent.tools.shell_rules import ShellJudge
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types import CommandCheck, Verdict

MAX_SHELL = 20_000


def judge(args: Any, facts: Facts = NOTHING_KNOWN) -> Verdict:
    """The verdict of the rules on the args of a call; whether it is approved is the toolbox's business."""
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
        case PlanSet() | PlanDone() | AskArgs() | FinishArgs():
            pass
        case _:
            _files(args, findings)
    return findings.verdict()


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


def _files(args: Any, findings: Findings) -> None:
    _inside(findings, args.path)
    if hasattr(args, "to") and args.op != "link":
        _inside(findings, args.to)
    if args.op == "remove":
        findings.destroy("fs.remove", f"removes {args.path}")
    elif args.op not in LOOKING:
        findings.change()


def _inside(findings: Findings, path: str) -> None:
    try:
        Workspace.relative(path)
    except ToolFailure as failure:
        findings.deny(failure.denied or "path.outside", failure.reason)
