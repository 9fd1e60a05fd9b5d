"""Hard rules: what a call may do, decided from the call alone and before anything acts."""

from __future__ import annotations

from typing import Any

from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.fs import LOOKING
from hybrid_agent.tools.workspace import Workspace
from hybrid_agent.types import Verdict


def judge(tool: str, args: Any, workspace: Workspace) -> Verdict:
    """The verdict of the rules on valid args; approval is the toolbox's business."""
    if tool in ("fs", "editor"):
        try:
            for field in ("path", "to"):
                if hasattr(args, field) and not (field == "to" and args.op == "link"):
                    workspace.relative(getattr(args, field))
        except ToolFailure as failure:
            return Verdict(allow=False, rule=failure.denied or "path", reason=failure.reason)
        if tool == "editor":
            return Verdict(allow=True, state_changing=True)
        if args.op == "remove":
            reason = f"removes {args.path}"
            return Verdict(allow=True, rule="fs.remove", reason=reason, destructive=True, state_changing=True)
        return Verdict(allow=True, state_changing=args.op not in LOOKING)
    return Verdict(allow=True, state_changing=tool in ("shell", "exec_code"))
