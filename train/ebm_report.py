"""Report a trained energy model on another contexts file: `python -m train.ebm_report run=ebm/tiny contexts=FILE`.

More options: `runs=runs`, `out=FOLDER` (report.json and reliability plots go there), `device=cpu`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_json
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import read_manifest

OPTIONS = {"run": "ebm/tiny", "contexts": "", "runs": "runs", "out": "", "device": "cpu"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; returns the exit code (2: bad input)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if "-h" in arguments or "--help" in arguments:
        print(__doc__)
        return 0
    try:
        make_report(_options(arguments))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _options(arguments: Sequence[str]) -> dict[str, str]:
    options = dict(OPTIONS)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in options:
            raise InputError(f"unknown argument {argument!r}", fix="use " + ", ".join(f"{n}=..." for n in OPTIONS))
        options[name] = value
    if not options["contexts"]:
        raise InputError("no contexts given", field="contexts", fix="contexts=FILE")
    return options


def make_report(options: dict[str, str]) -> dict[str, object]:
    """Score the contexts with the run's scorer, print the tables and return the report."""
    from hybrid_agent.scorer.calibration import Calibration
    from hybrid_agent.scorer.energy import CALIBRATION, load_model, read_config
    from train.ebm_data import contexts_file, load_contexts
    from train.ebm_judge import energies_of, judge, read_baseline, show
    from train.ebm_metrics import report
    from train.ebm_plots import plot_reliability

    root = Path(options["runs"])
    run = find_run(root, options["run"])
    manifest = read_manifest(run)
    scorer = run / "scorer"
    config = read_config(scorer)
    model, tokenizer = load_model(scorer, config)
    calibration = Calibration.model_validate_json((scorer / CALIBRATION).read_text(encoding="utf-8"))
    source = contexts_file(Path(options["contexts"]))
    data = load_contexts(source, tokenizer, config.context, root / "cache")
    contexts = np.arange(len(data))
    device = options["device"]
    energies = energies_of(model.to(device), data, contexts, packed=config.packed, batch_tokens=4096, device=device)
    base = read_baseline(run / "baseline.json")
    found = report(judge(data, contexts, energies, calibration, base))
    console = Console()
    show(found, console, f"{manifest.stage}/{manifest.name} on {source.name}")
    if options["out"]:
        out = Path(options["out"])
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "report.json", found)
        plot_reliability(found, out)
    return found


if __name__ == "__main__":
    sys.exit(main())
