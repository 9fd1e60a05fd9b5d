"""`hybrid-agent run "GOAL"`: from a goal to a verified result."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid_agent.errors import InputError

if TYPE_CHECKING:
    from hybrid_agent.agent.options import EpisodeResult
    from hybrid_agent.assemble.parts import HybridSpec
    from hybrid_agent.assemble.rundir import RunDir
    from hybrid_agent.memory.store import ColdMemory

UNVERIFIED, MACHINERY, STOPPED = 1, 3, 130


class Approval(enum.StrEnum):
    """Who decides about destructive calls."""

    ask = "ask"
    auto = "auto"
    deny = "deny"


class Backend(enum.StrEnum):
    """Where tool calls run."""

    bubblewrap = "bubblewrap"
    docker = "docker"
    none = "none"


def run(
    goal: Annotated[str, typer.Argument(help="What to do, in your own words.", show_default=False)],
    workspace: Annotated[
        Path | None,
        typer.Option(help="Folder to work on; without it a fresh one is made and kept.", show_default=False),
    ] = None,
    approve: Annotated[
        Approval | None,
        typer.Option(help="Destructive calls: ask, auto (yes) or deny. Default: ask on a terminal, else deny."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with the outcome, nothing else.")
    ] = False,
    decoder: Annotated[str, typer.Option(help="tiny, promoted, hf:PATH, vllm:PATH or openai:URL[#MODEL].")] = "tiny",
    hybrid: Annotated[
        str, typer.Option(help="auto (the parts that are there), full, greedy, or another of configs/hybrid.")
    ] = "auto",
    max_steps: Annotated[int, typer.Option(min=1, help="Most calls an episode may make.")] = 40,
    attempts: Annotated[
        int, typer.Option(min=1, max=5, help="How often a step may be tried, and a plan made (rolled back between).")
    ] = 2,
    seed: Annotated[int, typer.Option(help="Seed of sampling.")] = 0,
    runs_dir: Annotated[
        Path | None, typer.Option(help="Where runs are kept. Default: $HYBRID_AGENT_RUNS or ~/.local/state/...")
    ] = None,
    sandbox: Annotated[
        Backend, typer.Option(help="bubblewrap, docker, or none: no isolation, for tests only.")
    ] = Backend.bubblewrap,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the outcome.")] = False,
    memory: Annotated[
        bool | None,
        typer.Option(help="Use what worked before, and learn. Default: on a terminal if $HYBRID_AGENT_MEMORY is set."),
    ] = None,
) -> None:
    """Work on GOAL in a sandbox until it is verified. Exit code 0 only if it was."""
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.parts import find_parts, hybrid_hash
    from hybrid_agent.assemble.presets import preset
    from hybrid_agent.assemble.rundir import create_run, runs_root
    from hybrid_agent.assemble.workspace import checked_workspace

    if not goal.strip():
        raise InputError("the goal is empty", where="GOAL", fix='say what to do: hybrid-agent run "create notes.txt"')
    spec = find_parts(parse_decoder(decoder), preset(hybrid))
    root = runs_root(runs_dir)
    folder = checked_workspace(workspace, root) if workspace is not None else None
    mode = approve or (Approval.ask if _interactive() and not as_json else Approval.deny)
    if mode is Approval.ask and not _interactive():
        fix = "use --approve auto or --approve deny"
        raise InputError("nobody can be asked: this is not a terminal", where="--approve", fix=fix)
    remembers = memory if memory is not None else _interactive() and bool(os.environ.get("HYBRID_AGENT_MEMORY"))
    opened = _open_memory(root) if remembers else None
    kept = create_run(
        root,
        goal=goal,
        workspace=folder,
        decoder=str(spec.decoder),
        hybrid=str(spec),
        model=hybrid_hash(spec),  # a missing model is answered here, before anything is made
        sandbox=sandbox.value,
        approve=mode.value,
        seed=seed,
    )
    try:
        code = _episode(kept, goal, spec, opened, max_steps=max_steps, attempts=attempts, as_json=as_json, quiet=quiet)
    finally:
        if opened is not None:
            opened.close()
    raise typer.Exit(code)


def _open_memory(root: Path) -> ColdMemory:
    from hybrid_agent.assemble.memory import memory_config, memory_folder, open_memory

    return open_memory(memory_folder(root), memory_config())


def _episode(
    kept: RunDir,
    goal: str,
    spec: HybridSpec,
    memory: ColdMemory | None,
    *,
    max_steps: int,
    attempts: int,
    as_json: bool,
    quiet: bool,
) -> int:
    import signal

    from rich.console import Console

    from hybrid_agent.assemble.agent import AgentOptions, assemble_agent
    from hybrid_agent.assemble.hybrid import make_hybrid
    from hybrid_agent.assemble.memory import remembering
    from hybrid_agent.cli.prompts import TerminalPrompts
    from hybrid_agent.cli.text import safe
    from hybrid_agent.cli.view import make_view

    info = kept.info()
    console = Console(stderr=as_json, highlight=False)
    view = make_view(console, quiet or as_json)
    prompts = TerminalPrompts(console, view.pause) if _interactive() and not as_json else None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with kept.lock():
        view.begin(goal, kept.run_id, info.workspace)
        try:
            options = AgentOptions(
                approve=info.approve,
                max_steps=max_steps,
                attempts=attempts,
                seed=info.seed,
                env={"sandbox": info.sandbox, "approve": info.approve},
                provenance={"decoder": info.decoder, "hybrid": info.hybrid, "model": info.model},
            )
            recall = remembering(memory, goal)
            with assemble_agent(
                kept,
                hybrid=recall.into(make_hybrid(spec)) if recall else make_hybrid(spec),
                workspace=Path(info.workspace),
                sandbox=info.sandbox,
                options=options,
                prompts=prompts,
            ) as agent:
                result = agent.run(goal, on_step=view.step)
        except KeyboardInterrupt:
            view.end(False, "stopped", _hints(kept))
            return STOPPED
        except BaseException:
            view.end(False, "failed", _hints(kept))
            raise
        view.end(result.verified, _headline(result), _hints(kept))
        if recall is not None:
            for line in recall.settled(kept, result):
                if not quiet and not as_json:
                    console.print(safe(line), soft_wrap=True, markup=False)
    if as_json:
        _print_json(kept, result)
    if result.infra:
        return MACHINERY
    return 0 if result.verified else UNVERIFIED


def _headline(result: EpisodeResult) -> str:
    from hybrid_agent.cli.text import safe

    if result.verified:
        return f"done and verified: {safe(result.summary)}"
    if result.infra:
        return f"the machinery failed: {safe(result.summary)}"
    return f"{'not sure' if result.status == 'unsure' else 'not done'}: {safe(result.summary)}"


def _hints(kept: RunDir) -> list[str]:
    return [f"undo: hybrid-agent rollback {kept.run_id}", f"details: hybrid-agent trace {kept.run_id}"]


def _print_json(kept: RunDir, result: EpisodeResult) -> None:
    import dataclasses
    import json

    info = kept.info()
    body = {
        "run_id": kept.run_id,
        "success": result.verified,
        "workspace": info.workspace,
        "trace": str(kept.trace),
        **dataclasses.asdict(result),
    }
    print(json.dumps(body, ensure_ascii=True))


def _interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
