"""Is it good enough for a release? python -m eval.gates level=beta (make gates LEVEL=beta)

Prints each line's figure beside its thresholds. Exit codes: 0 the level is reached, 1 it is not, 2 bad input.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hybrid_agent.cli.exits import STOPPED, program
from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.gates import GatesConfig
from hybrid_agent.config.load import load_config

if TYPE_CHECKING:
    from eval.gate_lines import Line, Measured
    from eval.stored import Found
    from hybrid_agent.types import ToolCall, Verdict

STAGE, REPORT = "gates", "report.json"
SUITES = ("os", "code")


def measure(config: GatesConfig, console: Console) -> dict[str, Measured]:
    """The figure of every line.

    Raises:
        InputError: a part or the contexts cannot be read.
        Interrupted: an evaluation was stopped.
    """
    from eval.gate_lines import Measured
    from eval.metrics import Rate, grouped, summarize
    from eval.overrides import overrides
    from eval.rollbacks import roll_back
    from eval.run import select_tasks
    from hybrid_agent.packs.store import load_tasks

    found: dict[str, Measured] = {}
    evaluated = {suite: _evaluated(config, suite, console) for suite in SUITES}
    slow: dict[str, float] = {}
    outside = hits = judged = 0
    for suite, (settings, results) in evaluated.items():
        summary = summarize(results.results)
        parts = ", ".join(
            f"{split} {100 * summarize(each).success.value:.1f}"
            for split, each in grouped(results.results, lambda r: r.split).items()
        )
        low, high = summary.success.interval
        basis = f"{summary.success.n} tasks [{100 * low:.1f}, {100 * high:.1f}], one run each; {parts}"
        found[f"{suite}_success"] = Measured(summary.success.value if summary.success.n else None, basis)
        slow[suite] = summary.segment_p95 / 1e3
        outside += summary.destructive_outside
        part = overrides(select_tasks(settings), results.traces)
        hits, judged = hits + part.hits, judged + part.n
    said = ", ".join(f"{suite} {value:.2f} s" for suite, value in slow.items())
    found["segment_p95_s"] = Measured(max(slow.values()), f"the slower suite: {said}")
    tasks = sum(len(results.results) for _, results in evaluated.values())
    found["destructive_outside"] = Measured(float(outside), f"calls in {tasks} tasks")
    share = Rate(hits, judged)
    found["human_overrides"] = Measured(share.value if judged else None, f"{hits} of {judged} calls")
    if config.rollbacks:
        pool = [task for suite in SUITES for task in load_tasks(suite, "val")]
        with console.status(f"rolling back {config.rollbacks} random episodes"):
            back = roll_back(pool, config.rollbacks, config.seed, config.sandbox)
        found["rollback"] = Measured(back.value, f"{back.hits} of {back.n} random episodes")
    found["scorer_auc"] = scorer_auc(config)
    return found


def scorer_auc(config: GatesConfig) -> Measured:
    """The least AUC of any head: on the contexts, if they are given, else by the scorer's own report."""
    from eval.gate_lines import Measured
    from hybrid_agent.assemble.decoders import parse_decoder
    from hybrid_agent.assemble.parts import base_folder, find_parts
    from hybrid_agent.config.hybrid import HybridConfig
    from hybrid_agent.runs.manifest import MANIFEST, read_manifest

    spec = find_parts(parse_decoder(config.decoder), HybridConfig(mode="greedy"))
    if "scorer" not in spec.parts:
        return Measured(None, "there is no scorer")
    if config.contexts is not None:
        found = _auc_on(spec.parts["scorer"], Path(config.contexts))
        basis = f"computed on {Path(config.contexts).name}"
    else:
        home = base_folder(spec.decoder)
        if home is None or not (home / MANIFEST).is_file():
            return Measured(None, "no manifest beside the decoder; give contexts=FILE")
        figures = read_manifest(home).metrics.get("parts", {}).get("scorer", {}).get("metrics", {})
        found = {
            key.removeprefix("auc/"): float(value)
            for key, value in figures.items()
            if key.startswith("auc/") and key != "auc/all" and value is not None
        }
        basis = "the scorer's own report"
    if not found:
        return Measured(None, f"{basis} has no figure; give contexts=FILE")
    return Measured(min(found.values()), f"the worst head of {basis}: " + _listed(found))


def _auc_on(scorer: Path, contexts: Path) -> dict[str, float]:
    """AUC of each head over all candidates of the contexts whose outcome is sure."""
    import numpy as np

    from eval.schedule import contexts_at
    from hybrid_agent.scorer.energy import EnergyScorer
    from hybrid_agent.traces.domains import domain_of
    from train.ebm_metrics import auc

    model = EnergyScorer.load(scorer)
    rows: dict[str, list[tuple[float, bool]]] = {}
    for context in contexts_at(contexts):
        sure = [c for c in context.candidates if c.label not in ("infra_failure", "flaky")]
        model.judge = _said({c.segment.text: c.verdict for c in sure})
        scores = model.score(context.window, [c.segment for c in sure])
        for candidate, score in zip(sure, scores, strict=True):
            domain = domain_of(candidate.segment.text)
            rows.setdefault(domain, []).append((-score.energy, candidate.label == "pass"))
    found = {
        name: auc(np.array([e for e, _ in each]), np.array([p for _, p in each])) for name, each in sorted(rows.items())
    }
    return {name: value for name, value in found.items() if value is not None}


def _said(verdicts: dict[str, Verdict | None]) -> Callable[[ToolCall], Verdict | None]:
    """What the gate said when the candidates were executed."""
    from hybrid_agent.types import ToolCall as Call

    known = {}
    for text, verdict in verdicts.items():
        with suppress(ValueError):  # hostile candidates need not be calls
            known[Call.model_validate_json(text).model_dump_json()] = verdict
    return lambda call: known.get(call.model_dump_json())


def _evaluated(config: GatesConfig, suite: str, console: Console) -> tuple[EvalConfig, Found]:
    """The suite on the gate's splits; what is known already is not run again."""
    from eval.stored import all_of

    shared = config.model_dump(include=set(EvalConfig.model_fields) & set(GatesConfig.model_fields))
    base = load_config("eval", [f"suite={suite}", f"hybrid={config.hybrid_preset}"], EvalConfig)
    body = base.model_dump() | shared
    body["suite"] = base.suite.model_copy(update={"splits": config.splits})
    settings = EvalConfig.model_validate(body | {"hybrid": base.hybrid, "split": "test"})
    found = all_of(settings, console)
    console.print(f"{suite}: {'known already' if found.stored else 'evaluated'}", soft_wrap=True)
    return settings, found


def _listed(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in found.items())


def store(config: GatesConfig, found: list[Line]) -> Path:
    """Write report and manifest; returns the folder."""
    from eval.manifest import seal
    from hybrid_agent.assemble.decoders import decoder_hash, parse_decoder
    from hybrid_agent.runs.atomic import write_json
    from hybrid_agent.runs.layout import new_attempt

    folder = new_attempt(Path(config.out), STAGE, config.level)
    body = {"level": config.level, "lines": [line.as_json() for line in found]}
    write_json(folder / REPORT, body)
    parents = {"model": decoder_hash(parse_decoder(config.decoder))}
    seal(folder, "eval.gates", config, [REPORT], seed=config.seed, parents=parents, metrics=body)
    return folder


def command(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="As in configs/gates.yaml: level=beta limit=20.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    """Measure every line of the release gate and say which level is reached."""
    from eval.gate_lines import lines, show
    from eval.stored import Interrupted

    config = load_config("gates", overrides or [], GatesConfig)
    console = Console(stderr=as_json, highlight=False)
    try:
        found = lines(measure(config, console), config.thresholds)
    except Interrupted:
        raise typer.Exit(STOPPED) from None
    show(found, config.level, console)
    console.print(f"success is averaged over all tasks of {', '.join(config.splits)}", soft_wrap=True)
    failed = [line for line in found if not line.passes(config.level)]
    console.print(f"{config.level}: {f'{len(failed)} of {len(found)} lines fail' if failed else 'reached'}")
    console.print(f"report: {store(config, found)}", soft_wrap=True)
    if as_json:
        print(json.dumps({"level": config.level, "passed": not failed, "lines": [line.as_json() for line in found]}))
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    program(command)
