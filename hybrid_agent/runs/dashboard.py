"""The W&B dashboard as code: `python -m hybrid_agent.runs.dashboard [--out FILE] [--publish --entity NAME]`.

Prints its definition, or writes it to a file. Nothing leaves the machine without --publish, which needs WANDB_API_KEY
or a `wandb login`. The panels themselves are in hybrid_agent/runs/tracking/panels.py.

Exit codes: 0 done, 1 not published, 2 bad input.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hybrid_agent.errors import HybridAgentError, InputError
from hybrid_agent.runs.atomic import write_text
from hybrid_agent.runs.tracking.panels import SAMPLES, SECTIONS, Panel

NAME = "hybrid-agent"


def build(project: str, entity: str = "") -> Any:
    """The dashboard, a `wandb_workspaces.workspaces.Workspace`.

    Raises:
        InputError: wandb-workspaces is not installed.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:  # by name: its modules export lazily, which type checkers do not see
        workspaces: Any = importlib.import_module("wandb_workspaces.workspaces")
        reports: Any = importlib.import_module("wandb_workspaces.reports.v2")
    except ImportError as error:
        raise InputError(f"cannot import {error.name}", fix="pip install wandb-workspaces") from None

    def plot(panel: Panel) -> Any:
        one = len(panel.patterns) == len(panel.metrics)
        named = {"y": list(panel.metrics)} if one else {"metric_regex": "|".join(panel.patterns)}
        return reports.LinePlot(title=panel.title, x="step", log_y=panel.log or None, **named)

    sections = [
        workspaces.Section(name=name, panels=[plot(panel) for panel in panels], is_open=True)
        for name, panels in SECTIONS.items()
    ]
    sections.append(
        workspaces.Section(
            name="Samples and settings",
            panels=[
                *(reports.WeavePanelSummaryTable(table_name=f"tables/{name}") for name in SAMPLES),
                reports.RunComparer(diff_only="split"),
            ],
            is_open=False,
        )
    )
    settings = workspaces.WorkspaceSettings(x_axis="step")
    return workspaces.Workspace(entity=entity, project=project, name=NAME, sections=sections, settings=settings)


def definition(workspace: Any) -> dict[str, Any]:
    """What would be sent to the server."""
    model = workspace._to_model()
    body: dict[str, Any] = json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
    return body


def publish(workspace: Any) -> str:
    """Save it with W&B; returns its address.

    Raises:
        InputError: there is no key.
        HybridAgentError: the server did not take it.
    """
    import wandb

    from hybrid_agent.runs.tracking.wandb_run import has_key

    if not has_key(wandb):
        raise InputError("there is no key of W&B", fix="set WANDB_API_KEY or run: wandb login")
    try:
        return str(workspace.save().url)
    except Exception as error:
        raise HybridAgentError(f"W&B did not take the dashboard: {error}") from error


def command(
    project: Annotated[str, typer.Option(help="Of W&B.")] = "hybrid-agent",
    entity: Annotated[str, typer.Option(help="Person or team; needed to publish.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the definition there in place of printing it.")] = None,
    publish_it: Annotated[bool, typer.Option("--publish", help="Send it to the W&B server.")] = False,
) -> None:
    """Build the W&B dashboard; print it, write it, or publish it."""
    workspace = build(project, entity)
    if publish_it:
        if not entity:
            raise InputError("whose dashboard it is has to be said", field="--entity", fix="add --entity NAME")
        print(publish(workspace))
        return
    text = json.dumps(definition(workspace), indent=1) + "\n"
    if out is None:
        print(text, end="")
        return
    write_text(out, text)
    panels = sum(len(section.panels) for section in workspace.sections)
    print(f"{out}: {panels} panels in {len(workspace.sections)} sections; add --publish --entity NAME to send it")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    try:
        app(list(sys.argv[1:] if arguments is None else arguments))
    except HybridAgentError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)


if __name__ == "__main__":
    main()
