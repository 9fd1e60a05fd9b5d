"""`hybrid-agent rerank`: the best patch of several predictions files, instance by instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hybrid_agent.swe.rerank.choice import Gains
    from hybrid_agent.swe.rerank.features import Evidence
    from hybrid_agent.swe.rerank.rank import Looker, Ranked

SHOWN = 20


def rerank(
    files: Annotated[list[Path], typer.Argument(metavar="PREDS...", help="Predictions files, .jsonl or .json.")],
    out: Annotated[Path | None, typer.Option(help="Write the chosen predictions here, .jsonl.")] = None,
    model_name: Annotated[
        str | None, typer.Option("--model_name", help="Of the chosen predictions. Default: best-of-K.")
    ] = None,
    dataset_name: Annotated[
        str | None, typer.Option("--dataset_name", help="The data set, for statements and repositories.")
    ] = None,
    split: Annotated[str, typer.Option("--split")] = "test",
    repo_root: Annotated[
        str | None, typer.Option("--repo_root", help="Mirrors: see whether patches apply and the code still compiles.")
    ] = None,
    test_cmd: Annotated[
        str | None, typer.Option("--test_cmd", help="Run these tests of the base commit with every patch (sandboxed).")
    ] = None,
    python: Annotated[str | None, typer.Option("--python", help="Interpreter that runs the tests.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Instances whose repositories are looked at together.")] = 1,
    labels: Annotated[
        list[Path] | None, typer.Option("--labels", help="Evaluation reports, to tell how good the choice was.")
    ] = None,
    fit: Annotated[Path | None, typer.Option(help="Fit the energy on the labels and write it here, .json.")] = None,
    weights: Annotated[Path | None, typer.Option(help="An energy from --fit, instead of the shipped one.")] = None,
    scores: Annotated[Path | None, typer.Option(help="Write every candidate with its energy here, .jsonl.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Choose the best patch for each instance from several predictions FILES."""
    import json

    from hybrid_agent.runs.atomic import write_text
    from hybrid_agent.swe.bench.predictions import write_predictions
    from hybrid_agent.swe.rerank import rank as ranking
    from hybrid_agent.swe.rerank.pools import read_labels, read_pools
    from hybrid_agent.swe.rerank.weights import shipped

    _check(out, dataset_name, repo_root, test_cmd, labels, fit)
    pools = read_pools(files)
    known = read_labels(labels, files, pools) if labels else {}
    rows = _rows(dataset_name, split, list(pools)) if dataset_name else {}
    look = _looker(repo_root, test_cmd, python) if repo_root else None
    energy = ranking.load_energy(weights) if weights else shipped()
    ranked = ranking.rank(pools, energy, rows, look, known, workers)
    model = model_name or f"best-of-{len(files)}"
    if out is not None:
        write_predictions(out, ranking.chosen_predictions(ranked, model))
    if scores is not None:
        write_text(scores, "".join(json.dumps(line) + "\n" for each in ranked for line in each.as_json()))
    gains, held = ranking.labelled_gains(ranked), None
    if fit is not None:
        repo_of = {instance: str(row.get("repo", "")) for instance, row in rows.items()}
        note = f"{len(ranked)} instances of {', '.join(map(str, files))}"
        made, held = ranking.fitted(ranking.pools_of(ranked, repo_of), note)
        ranking.save_energy(fit, made)
    if as_json:
        print(json.dumps(_as_json(ranked, energy.fitted_on, gains, held, out)))
        return
    _show(ranked, files)
    for title, found in (("the choice, against the labels", gains), ("fitted, every repository held out", held)):
        if found is not None:
            show_gains(title, found)
    for name, path in (("predictions", out), ("scores", scores), ("energy", fit)):
        if path is not None:
            print(f"{name}: {path}")


def _check(
    out: Path | None,
    dataset: str | None,
    root: str | None,
    test_cmd: str | None,
    labels: Sequence[Path] | None,
    fit: Path | None,
) -> None:
    from hybrid_agent.errors import InputError

    if out is not None and out.suffix != ".jsonl":
        raise InputError("must end in .jsonl", where="--out", fix=str(out.with_suffix(".jsonl")))
    if root and not dataset:
        raise InputError(
            "needs the data set, which says the base commits", where="--repo_root", fix="add --dataset_name"
        )
    if test_cmd and not root:
        raise InputError("needs the repositories", where="--test_cmd", fix="add --repo_root")
    if fit is not None and not labels:
        raise InputError("needs labels", where="--fit", fix="add --labels REPORT")


def _rows(dataset: str, split: str, instances: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    from hybrid_agent.errors import InputError
    from hybrid_agent.swe.bench.dataset import load_rows

    rows = {str(row["instance_id"]): row for row in load_rows(dataset, split)}
    unknown = [instance for instance in instances if instance not in rows]
    if unknown:
        raise InputError(f"predictions for {', '.join(unknown[:3])}, which the data set does not have", where=dataset)
    return {instance: rows[instance] for instance in instances}


def _looker(root: str, test_cmd: str | None, python: str | None) -> Looker:
    from hybrid_agent.swe.rerank.evidence import TestSetup, look

    setup = None
    if test_cmd is not None:
        from hybrid_agent.assemble.swe import repair_sandbox
        from hybrid_agent.swe.command import read_command, split_command
        from hybrid_agent.swe.options import RepairOptions

        sandbox = repair_sandbox(python)
        options = RepairOptions(python=sandbox.python, paths=sandbox.paths)
        setup = TestSetup(read_command(split_command(test_cmd)), sandbox.make, options)

    def looked(row: Mapping[str, Any], patches: Sequence[str]) -> list[Evidence]:
        return look(row, patches, root, setup)

    return looked


def _as_json(
    ranked: Sequence[Ranked], fitted_on: str, gains: Gains | None, held: Gains | None, out: Path | None
) -> dict[str, Any]:
    return {
        "instances": len(ranked),
        "candidates": sum(len(each.candidates) for each in ranked),
        "energy_fitted_on": fitted_on,
        "predictions": str(out) if out else None,
        "choices": [
            {
                "instance_id": each.instance_id,
                "file": each.candidates[each.chosen].source,
                "energy": float(each.energies[each.chosen]),
                "p": float(each.probabilities[each.chosen]),
                "empty": not each.candidates[each.chosen].prediction.patch.strip(),
            }
            for each in ranked
        ],
        "gains": gains.as_json() if gains else None,
        "held_out": held.as_json() if held else None,
    }


def _show(ranked: Sequence[Ranked], files: Sequence[Path]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hybrid_agent.cli.text import safe

    table = Table(box=None, pad_edge=False)
    for head in ("instance", "from", "of", "energy", "p", ""):
        table.add_column(head, justify="right" if head in ("of", "energy", "p") else "left")
    for each in ranked[:SHOWN]:
        at = each.chosen
        patch = each.candidates[at].prediction.patch
        table.add_row(
            Text(safe(each.instance_id)),
            Text(safe(str(files[each.candidates[at].source]))),
            str(len(each.candidates)),
            f"{each.energies[at]:.2f}",
            f"{each.probabilities[at]:.2f}",
            Text("" if patch.strip() else "empty patch", style="yellow"),
        )
    console = Console(highlight=False)
    console.print(table)
    if len(ranked) > SHOWN:
        console.print(f"... and {len(ranked) - SHOWN} more instances")


def show_gains(title: str, gains: Gains) -> None:
    """Print how good a choice was."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"{title}: {gains.instances} instances, {gains.candidates} candidates")
    table = Table(box=None, pad_edge=False)
    table.add_column("choice")
    table.add_column("resolved")
    for name, figure in gains.shares.items():
        table.add_row(name, str(figure))
    console.print(table)
    if gains.recovered is not None:
        console.print(f"recovered of the gap between random and oracle: {gains.recovered}")
    if gains.brier is not None:
        console.print(f"probability: Brier score {gains.brier:.3f}, calibration error {gains.ece:.3f}")
