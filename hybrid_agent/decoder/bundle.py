"""The bundle: a trained decoder as it ships with the package.

BUNDLE/manifest.json            what it is, the command that remade it, its figures, file hashes
BUNDLE/decoder/                 a plain Hugging Face checkpoint (fp16) with its tokenizer
BUNDLE/lexicon.json             what calls may say that is not copied from the window
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST, Manifest, read_manifest, write_manifest

DECODER, LEXICON = "decoder", "lexicon.json"
LIMIT = 16 * 2**20


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
    for name in (f"{DECODER}/config.json", f"{DECODER}/tokenizer.json", f"{DECODER}/model.safetensors"):
        if name not in manifest.files:
            raise InputError("not a decoder bundle", where=str(folder), field=name, fix="export one from an sft run")
    return Bundle(folder, manifest, read_lexicon(folder / LEXICON))


def read_lexicon(path: Path) -> Lexicon:
    """The lexicon in a file; an empty one if there is no such file."""
    return Lexicon.from_json(path.read_text(encoding="utf-8"), where=str(path)) if path.is_file() else Lexicon()


def export_bundle(
    run: Path, folder: Path, figures: dict[str, object] | None = None, command: str | None = None
) -> Manifest:
    """Make a bundle from a finished run, replacing what is at `folder`.

    Local paths of the run's config are left out: they mean nothing elsewhere.

    Args:
        run: directory of a complete sft run.
        folder: where the bundle goes.
        figures: measured results to be kept in its manifest beside the training metrics.
        command: the command(s) that make it again, if they are not just the run's own.

    Raises:
        InputError: the run is not complete, or the bundle would be larger than 16 MB.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    from hybrid_agent.nn.tokenizer import load_tokenizer, save_tokenizer

    disable_progress_bar()  # type: ignore[no-untyped-call]
    source = load_bundle(run)
    temp = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(temp, ignore_errors=True)
    model = AutoModelForCausalLM.from_pretrained(str(source.model_folder), dtype=torch.float16)
    model.save_pretrained(str(temp / DECODER))
    save_tokenizer(load_tokenizer(source.model_folder), temp / DECODER)
    (temp / LEXICON).write_text(source.lexicon.to_json(), encoding="utf-8")
    manifest = source.manifest.model_copy(
        update={
            "parents": {**source.manifest.parents, "run": file_hash(run / MANIFEST)},
            "metrics": {**source.manifest.metrics, **(figures or {})},
            "command": command or source.manifest.command,
            "config": _portable(source.manifest.config),
        }
    )
    files = [path for path in temp.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if size > LIMIT:
        shutil.rmtree(temp)
        raise InputError(
            f"{size / 2**20:.1f} MB are too much for a bundle", where=str(run), fix="train a smaller model"
        )
    written = write_manifest(temp, manifest, files)
    shutil.rmtree(folder, ignore_errors=True)
    temp.rename(folder)
    return written


def _portable(config: dict[str, Any]) -> dict[str, Any]:
    """The config without values that are absolute paths."""
    return {
        key: _portable(value) if isinstance(value, dict) else value
        for key, value in config.items()
        if not (isinstance(value, str) and value.startswith("/"))
    }
