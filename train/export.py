"""Make the bundle that ships with the package: a decoder's run, and the runs of any other parts.

    python -m train.export sft/tiny
    python -m train.export sft/tiny scorer=ebm/tiny planner=hrm/tiny experts=aoe/tiny draft=sft/draft \
        shaping=shaping/tiny gate=gate/tiny hybrid=schedule/tiny
    python -m train.export bundle planner=hrm/better      # the shipped one, with one part exchanged

    python -m train.export sft/coder --dest runs/export/coder --limit 0      # a large model, adapters merged into it

A part is a run (stage/name), a folder or a file. `bundle` keeps the parts that it has; PART=none leaves one out.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hybrid_agent.config.explain import explain
from hybrid_agent.config.hybrid import TUNED, Thresholds
from hybrid_agent.decoder.bundle import DECODER, LIMIT, Part, export_bundle, part_sizes, parts_of, read_lexicon
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash, write_json
from hybrid_agent.runs.layout import find_run
from hybrid_agent.runs.manifest import MANIFEST, Manifest, read_manifest

BUNDLE = Path(__file__).parents[1] / "hybrid_agent" / "bundles" / "tiny"
# What a person writes -> its place in the bundle. Parts are copied and listed in this order.
NAMES = {
    "experts": "experts",
    "scorer": "scorer",
    "planner": "planner",
    "draft": "draft",
    "shaping": "shaping",
    "gate": "gate.json",
    "hybrid": TUNED,
}
NONE = "none"


def export(
    run: str,
    parts: Mapping[str, str],
    *,
    runs: Path = Path("runs"),
    dest: Path = BUNDLE,
    figures: Mapping[str, object] | None = None,
    command: str | None = None,
    limit: int = LIMIT,
    lexicon: Path | None = None,
) -> Manifest:
    """Collect the parts and write the bundle.

    Args:
        run: the decoder's run, a bundle's folder, or `bundle`.
        parts: part (see NAMES) -> run, folder, file, or `none`.
        limit: most bytes that it may have; 0: any number. What ships with the package has at most `LIMIT`.
        lexicon: of another corpus than the one that the run names; None: the run's own.

    Raises:
        InputError: a part is missing, damaged or belongs to another decoder, or all together are too large.
    """
    if dest.resolve() == BUNDLE.resolve() and not 0 < limit <= LIMIT:
        fix = "give --dest FOLDER for a larger one"
        raise InputError(f"the bundle in the package has at most {LIMIT >> 20} MB", field="--limit", fix=fix)
    home = BUNDLE if run == "bundle" else find_run(runs, run)
    found: dict[str, Part] = parts_of(home)
    for name, where in parts.items():
        if name not in NAMES:
            raise InputError(f"no part {name!r}", field=name, fix="use one of " + ", ".join(NAMES))
        found.pop(NAMES[name], None)
        if where != NONE:
            found[NAMES[name]] = _part(name, where, runs)
    ordered = {place: found[place] for place in NAMES.values() if place in found}
    _same_tokenizer(home, ordered)
    dest.parent.mkdir(parents=True, exist_ok=True)
    with_alpha = dest.with_name(f".{dest.name}.{TUNED}")
    try:
        if (alpha := _alpha(ordered)) is not None:
            tuned = ordered.get(TUNED)
            rules = _rules(tuned).model_copy(update={"alpha": alpha})
            write_json(with_alpha, rules.model_dump(mode="json"))
            ordered[TUNED] = Part(with_alpha, tuned.parent if tuned else None, tuned.about if tuned else None)
        words = read_lexicon(lexicon) if lexicon else None
        most = limit or sys.maxsize
        return export_bundle(home, dest, figures, command and portable(command), ordered, most, words)
    finally:
        with_alpha.unlink(missing_ok=True)


def portable(command: str) -> str:
    """A command without absolute paths: they mean nothing on another machine."""
    return re.sub(r"(^|(?<=[\s='\"]))/[^\s'\",]+", lambda m: Path(m[0]).name, command)


def strangers(home: Path, manifest: Manifest) -> list[str]:
    """The parts whose runs name another decoder than that of `home` as their parent."""
    own = {manifest.parents.get("run"), file_hash(home / MANIFEST), *manifest.parents.values()}
    about = manifest.metrics.get("parts", {})
    said = {name: (entry.get("parents") or {}).get("decoder") for name, entry in about.items()}
    return [name for name, decoder in said.items() if decoder is not None and decoder not in own]


def _part(name: str, where: str, runs: Path) -> Part:
    """A part, from the folder of its run, its own folder or its file."""
    path = Path(where).expanduser()
    home = path if path.exists() else find_run(runs, where)
    place = NAMES[name]
    if home.is_file():
        source = home
    elif name == "draft":
        source = next((home / n for n in (DECODER, "draft") if (home / n).is_dir()), home)
    else:
        source = home / place if (home / place).exists() else home
    if place.endswith(".json") != source.is_file():
        raise InputError(f"no {place} in it", where=str(home), field=name, fix="name the run that made it")
    made = home if home.is_dir() else home.parent
    if not (made / MANIFEST).is_file():
        return Part(source, None, None)
    manifest = read_manifest(made)
    inside = (manifest.metrics.get("parts") or {}).get(place)
    if inside is not None:  # taken out of another bundle
        return Part(source, manifest.parents.get(place), inside)
    return Part(source, file_hash(made / MANIFEST), _about(manifest))


def _about(manifest: Manifest) -> dict[str, Any]:
    return {
        "run": f"{manifest.stage}/{manifest.name}/{manifest.attempt:03d}",
        "command": portable(manifest.command),
        "git_sha": manifest.git_sha,
        "seed": manifest.seed,
        "data_hash": manifest.data_hash,
        "parents": manifest.parents,
        "metrics": manifest.metrics,
    }


def _same_tokenizer(home: Path, parts: Mapping[str, Part]) -> None:
    from hybrid_agent.nn.tokenizer import load_tokenizer, tokenizer_hash

    if "draft" not in parts:
        return
    own, other = (tokenizer_hash(load_tokenizer(folder)) for folder in (home / DECODER, parts["draft"].source))
    if own != other:
        fix = "train it with stage.tokenizer=RUN OF THE DECODER"
        raise InputError("the draft model has another tokenizer than the decoder", field="draft", fix=fix)


def _alpha(parts: Mapping[str, Part]) -> float | None:
    """The strength that the shaping's own fit chose, where the tuned thresholds leave it at 0 and were not decided by
    tasks (`eval.worth`); None: nothing to do."""
    tuned = parts.get(TUNED)
    decided = tuned is not None and str((tuned.about or {}).get("run", "")).startswith("worth/")
    if "shaping" not in parts or decided or _rules(tuned).alpha > 0:
        return None
    about = json.loads((parts["shaping"].source / "shaping.json").read_text(encoding="utf-8"))
    return float(about.get("alpha") or 0.0) or None


def _rules(tuned: Part | None) -> Thresholds:
    if tuned is None:
        return Thresholds()
    try:
        return Thresholds.model_validate_json(tuned.source.read_bytes())
    except ValidationError as error:
        raise explain(error, Thresholds, where=str(tuned.source)) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Export; returns the exit code (2: bad input)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="stage/name, e.g. sft/tiny; a bundle's folder; or bundle")
    parser.add_argument("parts", nargs="*", metavar="PART=RUN", help="one of " + ", ".join(NAMES))
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of runs (default: runs)")
    parser.add_argument("--dest", type=Path, default=BUNDLE, help="where the bundle goes (default: in the package)")
    parser.add_argument("--command", help="the command(s) that make it again, if not just the run's own")
    parser.add_argument("--figures", type=Path, help="JSON object of measured results to keep in the manifest")
    parser.add_argument("--lexicon", type=Path, help="lexicon.json of another corpus (default: the run's own)")
    parser.add_argument("--limit", type=int, metavar="MB", default=LIMIT >> 20, help="refuse more (24; 0: any size)")
    options = parser.parse_args(arguments)
    try:
        if wrong := [text for text in options.parts if "=" not in text]:
            raise InputError("write PART=RUN", where=wrong[0])
        parts = dict(text.split("=", 1) for text in options.parts)
        figures = json.loads(options.figures.read_text()) if options.figures else None
        if options.lexicon is not None and not options.lexicon.is_file():
            raise InputError("no such file", where=str(options.lexicon), field="--lexicon")
        more = {"figures": figures, "command": options.command, "limit": max(0, options.limit) << 20}
        more["lexicon"] = options.lexicon
        manifest = export(options.run, parts, runs=options.runs, dest=options.dest, **more)
    except (InputError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    report(options.dest, manifest)
    return 0


def report(dest: Path, manifest: Manifest) -> None:
    """Print what went into a bundle."""
    sizes, about = part_sizes(dest), manifest.metrics.get("parts", {})
    for name, size in sizes.items():
        print(f"  {name:14}{size / 2**20:6.2f} MB  {about.get(name, {}).get('run', '')}".rstrip())
    for name in strangers(dest, manifest):
        print(f"  note: {name} was made for another decoder than this one")
    print(f"{dest}: {sum(sizes.values()) / 2**20:.1f} MB, {len(manifest.files)} files")


if __name__ == "__main__":
    sys.exit(main())
