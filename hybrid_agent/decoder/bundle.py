"""The bundle: a trained agent as it ships with the package. All parts but the decoder are optional.

BUNDLE/manifest.json            what it is, the command that remade it, figures and parents of each part, file hashes
BUNDLE/decoder/                 a plain Hugging Face checkpoint (fp16) with its tokenizer; in a run it may be an adapter
BUNDLE/lexicon.json             what calls may say that is not copied from the window
BUNDLE/experts/NAME/            adapters that PEFT loads
BUNDLE/scorer/, planner/        energy model and planner
BUNDLE/draft/                   a small decoder with the same tokenizer
BUNDLE/shaping/                 steering of the logits
BUNDLE/gate.json                the policy classifier
BUNDLE/hybrid.json              tuned thresholds
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST, Manifest, read_manifest, write_manifest

DECODER, LEXICON = "decoder", "lexicon.json"
ADAPTER = "adapter_config.json"
PARTS = ("experts", "scorer", "planner", "draft", "shaping", "gate.json", "hybrid.json")
LIMIT = 24 * 2**20
WEIGHTS = ".safetensors"
WHOLE = ("model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors")  # one of them is there


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files were checked."""

    folder: Path
    manifest: Manifest
    lexicon: Lexicon

    @property
    def model_folder(self) -> Path:
        """What `AutoModelForCausalLM.from_pretrained` takes."""
        return self.folder / DECODER


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle (or a finished sft run, which has the same layout).

    Raises:
        InputError: incomplete, changed since it was written, or without a decoder.
    """
    manifest = read_manifest(folder)
    weights = next((name for name in WHOLE if f"{DECODER}/{name}" in manifest.files), WHOLE[0])
    for name in (f"{DECODER}/config.json", f"{DECODER}/tokenizer.json", f"{DECODER}/{weights}"):
        if name not in manifest.files:
            raise InputError("not a decoder bundle", where=str(folder), field=name, fix="export one from an sft run")
    return Bundle(folder, manifest, read_lexicon(folder / LEXICON))


def find_model(folder: Path) -> tuple[Path, Lexicon]:
    """The model folder of a bundle, a finished run or a plain checkpoint, and the lexicon that lies beside it.

    Raises:
        InputError: a bundle or run is incomplete or damaged.
    """
    if (folder / MANIFEST).is_file():
        bundle = load_bundle(folder)
        return bundle.model_folder, bundle.lexicon
    if (folder / DECODER).is_dir():
        return folder / DECODER, read_lexicon(folder / LEXICON)
    return folder, Lexicon()


def read_lexicon(path: Path) -> Lexicon:
    """The lexicon in a file; an empty one if there is no such file."""
    return Lexicon.from_json(path.read_text(encoding="utf-8"), where=str(path)) if path.is_file() else Lexicon()


@dataclass(frozen=True)
class Part:
    """A part on its way into a bundle.

    Attributes:
        source: the folder or file that is copied.
        parent: the hash of the manifest of the run that made it, if there is one.
        about: what the bundle's manifest says of it: run, command, figures.
    """

    source: Path
    parent: str | None = None
    about: Mapping[str, Any] | None = None


def export_bundle(
    run: Path,
    folder: Path,
    figures: Mapping[str, object] | None = None,
    command: str | None = None,
    parts: Mapping[str, Part] | None = None,
    limit: int = LIMIT,
    lexicon: Lexicon | None = None,
) -> Manifest:
    """Make a bundle from a finished run and any other parts, replacing what is at `folder`.

    Weights are stored in half precision, an adapter merged into its base. Local paths of configs are left out: they
    mean nothing elsewhere.

    Args:
        run: directory of a complete sft run (or a bundle, whose decoder is taken).
        folder: where the bundle goes.
        figures: measured results to be kept in its manifest beside the training metrics.
        command: the command(s) that make it again, if they are not just the run's own.
        parts: the other parts by their place in the bundle (see PARTS).
        limit: most bytes that it may have.
        lexicon: another one than the run's own.

    Raises:
        InputError: the run is not complete, a part is none, or the bundle would be larger than the limit.
    """
    from hybrid_agent.decoder.checkpoint import load_checkpoint
    from hybrid_agent.nn.tokenizer import save_tokenizer

    parts = parts or {}
    for name in parts:
        if name not in PARTS:
            raise InputError(f"no part {name!r} in a bundle", fix="use one of " + ", ".join(PARTS))
    source = load_bundle(run)
    temp = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(temp, ignore_errors=True)
    try:
        model, tokenizer = load_checkpoint(source.model_folder)
        model.half().save_pretrained(str(temp / DECODER))  # type: ignore[no-untyped-call]
        save_tokenizer(tokenizer, temp / DECODER)
        (temp / LEXICON).write_text((lexicon or source.lexicon).to_json(), encoding="utf-8")
        for name, part in parts.items():
            copy_part(part.source, temp / name)
        manifest = _manifest(source, file_hash(run / MANIFEST), parts, figures, command)
        files = [path for path in temp.rglob("*") if path.is_file()]
        sizes = part_sizes(temp)
        if (size := sum(sizes.values())) > limit:
            largest = ", ".join(f"{name} {each / 2**20:.1f}" for name, each in sizes.items())
            what = f"{size / 2**20:.1f} MB are too much for a bundle (at most {limit / 2**20:.0f}; {largest})"
            raise InputError(what, where=str(run), fix="train smaller models or leave a part out")
        written = write_manifest(temp, manifest, files)
    except BaseException:
        shutil.rmtree(temp, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    temp.rename(folder)
    return written


def part_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each part of a bundle, in the order decoder, then PARTS; absent ones are left out."""
    found = {}
    for name in (DECODER, LEXICON, *PARTS):
        path = folder / name
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        if files:
            found[name] = sum(file.stat().st_size for file in files)
    return found


def copy_part(source: Path, target: Path) -> None:
    """Copy a part, its weights rounded to half precision; hidden files and links stay behind.

    Raises:
        InputError: there is nothing to copy.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*"))
    files = [file for file in files if file.is_file() and not file.is_symlink()]
    if not files:
        raise InputError("no such part", where=str(source), fix="name a complete run")
    for file in files:
        inside = file.relative_to(source)
        if any(part.startswith(".") for part in inside.parts) or inside.name == MANIFEST:
            continue
        copy = target / inside if file != source else target
        copy.parent.mkdir(parents=True, exist_ok=True)
        _half(file, copy) if file.suffix == WEIGHTS else shutil.copyfile(file, copy)


def _half(source: Path, target: Path) -> None:
    import torch
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import save_file

    try:
        with safe_open(str(source), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
    except (OSError, SafetensorError) as error:
        raise InputError(f"not readable weights: {error}", where=str(source), fix="train it again") from None
    wide = (torch.float32, torch.float64, torch.bfloat16)
    half = {name: t.half().contiguous() if t.dtype in wide else t for name, t in tensors.items()}
    save_file(half, str(target), metadata)


def _manifest(
    source: Bundle,
    run: str,
    parts: Mapping[str, Part],
    figures: Mapping[str, object] | None,
    command: str | None,
) -> Manifest:
    old = source.manifest
    metrics: dict[str, Any] = {**old.metrics, **(figures or {})}
    about = {name: _portable(dict(part.about)) for name, part in parts.items() if part.about}
    metrics.pop("parts", None)
    return old.model_copy(
        update={
            "parents": {
                **{name: parent for name, parent in old.parents.items() if name not in PARTS},
                "run": old.parents.get("run", run),  # a bundle made of a bundle has the same decoder
                **{name: part.parent for name, part in parts.items() if part.parent},
            },
            "metrics": metrics | ({"parts": about} if about else {}),
            "command": command or old.command,
            "config": _portable(old.config),
        }
    )


def parts_of(folder: Path) -> dict[str, Part]:
    """The parts that a bundle holds, with what its manifest says of them; for making the next one of it.

    Raises:
        InputError: the bundle is damaged.
    """
    manifest = read_manifest(folder)
    about = manifest.metrics.get("parts", {})
    return {
        name: Part(folder / name, manifest.parents.get(name), about.get(name))
        for name in PARTS
        if (folder / name).exists()
    }


def _portable(config: dict[str, Any]) -> dict[str, Any]:
    """The config without values that are absolute paths."""
    return {
        key: _portable(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if not (isinstance(value, str) and value.startswith("/"))
    }
