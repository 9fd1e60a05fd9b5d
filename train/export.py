"""Make the bundle that ships with the package from a finished run: `python -m train.export sft/tiny`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hybrid_agent.decoder.bundle import export_bundle
from hybrid_agent.errors import InputError
from hybrid_agent.runs.layout import find_run

BUNDLE = Path(__file__).parents[1] / "hybrid_agent" / "bundles" / "tiny"


def main() -> int:
    """Export; returns the exit code (2: bad input)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="stage/name, e.g. sft/tiny")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs (default: runs)")
    parser.add_argument("--dest", type=Path, default=BUNDLE, help="where the bundle goes (default: in the package)")
    parser.add_argument("--command", help="the command(s) that make it again, if not just the run's own")
    parser.add_argument("--figures", type=Path, help="JSON object of measured results to keep in the manifest")
    options = parser.parse_args()
    try:
        figures = json.loads(options.figures.read_text()) if options.figures else None
        options.dest.parent.mkdir(parents=True, exist_ok=True)
        manifest = export_bundle(find_run(options.runs, options.run), options.dest, figures, options.command)
    except (InputError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(file.stat().st_size for file in options.dest.rglob("*") if file.is_file())
    print(f"{options.dest}: {size / 2**20:.1f} MB, {len(manifest.files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
