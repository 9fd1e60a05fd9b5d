"""From what a person types after `--decoder` to a decoder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.assemble.bundles import PROMOTED, pointer_file, promoted_folder
from hybrid_agent.config.explain import nearest
from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Decoder
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST, read_manifest
from hybrid_agent.tools.registry import call_schema

OPTION = "--decoder"
KINDS = ("tiny", PROMOTED, "hf", "vllm", "openai")
MODEL_FILES = ("config.json", MANIFEST, "decoder/config.json")  # a checkpoint, a bundle, a run of training


@dataclass(frozen=True)
class DecoderSpec:
    """`tiny` (the trained bundle), `hf:PATH`, `vllm:PATH[#KEY=VALUE,...]` (hybrid_agent.decoder.vllm_engine),
    `openai:URL[#MODEL]`, or `script:FILE` (tests: scripted replies).

    `promoted` is read as one of the first two: the bundle that serves by the record of promotions.
    """

    kind: str
    target: str

    @property
    def folder(self) -> Path | None:
        """Where the model lies, if it is one of ours to load; None for the shipped one, a server or a script."""
        if self.kind == "vllm":
            return Path(self.target.partition("#")[0])
        return Path(self.target) if self.kind == "hf" else None

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}" if self.target else self.kind


def parse_decoder(text: str) -> DecoderSpec:
    """Read a decoder specification; cheap, so that a mistake is answered before anything is loaded.

    Raises:
        InputError: unknown kind, missing folder or option, not a URL, or nothing was promoted.
    """
    kind, colon, target = text.partition(":")
    if kind == "tiny" and not colon:
        return DecoderSpec("tiny", "")
    if kind == PROMOTED:
        folder = promoted_folder(Path(target).expanduser() if target else pointer_file())
        return DecoderSpec("tiny", "") if folder is None else DecoderSpec("hf", str(folder.absolute()))
    if kind in ("hf", "script") and target:
        path = Path(target).expanduser()
        if kind == "hf" and not any((path / name).is_file() for name in MODEL_FILES):
            fix = "give a folder saved by save_pretrained: hf:PATH"
            raise InputError(f"no model folder at {target}", where=OPTION, fix=fix)
        if kind == "script" and not path.is_file():
            raise InputError(f"no such file: {target}", where=OPTION, fix="give a JSON file with a list of calls")
        return DecoderSpec(kind, str(path.absolute()))
    if kind == "vllm" and target:
        return _vllm(target)
    if kind == "openai" and target:
        if not target.startswith(("http://", "https://")):
            fix = "write the address of the server: openai:http://127.0.0.1:8000/v1"
            raise InputError(f"not a URL: {target}", where=OPTION, fix=fix)
        return DecoderSpec(kind, target)
    close = nearest(kind, KINDS)
    hint = f"did you mean {close!r}? " if close and close != kind else ""
    raise InputError(
        f"unknown decoder {text!r}", where=OPTION, fix=hint + "use tiny, promoted, hf:PATH, vllm:PATH or openai:URL"
    )


def _vllm(target: str) -> DecoderSpec:
    from hybrid_agent.decoder.vllm_engine import described, parse_target

    path, options = parse_target(target, OPTION)
    if not any((path / name).is_file() for name in MODEL_FILES):
        fix = "give a folder saved by save_pretrained: vllm:PATH"
        raise InputError(f"no model folder at {path}", where=OPTION, fix=fix)
    said = described(options)
    return DecoderSpec("vllm", f"{path.absolute()}{f'#{said}' if said else ''}")


def make_decoder(spec: DecoderSpec, parts: Mapping[str, Path] | None = None, **switches: bool | float) -> Decoder:
    """Load the decoder (seconds for a local model).

    Args:
        spec: which one.
        parts: where `draft`, `shaping` and `experts` lie, for local models; None: none of them.
        switches: fields of `hybrid_agent.decoder.options.DecoderOptions`, for local models.

    Raises:
        InputError: the bundle or model is not there or damaged, or vLLM is not installed.
    """
    if spec.kind == "script":
        from hybrid_agent.decoder.scripted import ScriptedDecoder

        return ScriptedDecoder(_script(Path(spec.target)))
    if spec.kind == "openai":
        from hybrid_agent.decoder.openai import OpenAIDecoder

        url, _, model = spec.target.partition("#")
        return OpenAIDecoder(url, model or None, call_schema())
    # torch is imported from here on, and only from here on.
    if spec.kind == "vllm":
        from hybrid_agent.decoder.vllm import VllmDecoder
        from hybrid_agent.decoder.vllm_engine import import_vllm, parse_target

        import_vllm()
        path, chosen = parse_target(spec.target, OPTION)
        known = {name: bool(value) for name, value in switches.items() if name in ("constrained", "greedy_first")}
        return VllmDecoder.from_folder(path, call_schema(), chosen, parts, **known)
    from hybrid_agent.decoder.hf import HfDecoder
    from hybrid_agent.decoder.options import DecoderOptions

    folder = bundle_folder() if spec.kind == "tiny" else Path(spec.target)
    ours = (folder / "decoder").is_dir()  # a bundle or a run of ours, so a small model: one thread is best
    options = DecoderOptions(threads=1 if ours else None, **switches) if switches else None  # type: ignore[arg-type]
    return HfDecoder.from_folder(folder, call_schema(), options, parts=parts or {})


def bundle_folder() -> Path:
    """Where the trained bundle that ships with the package lies.

    Raises:
        InputError: it is not there.
    """
    folder = Path(__file__).resolve().parents[1] / "bundles" / "tiny"
    if not (folder / MANIFEST).is_file():
        fix = "use a full checkout, or train it: make train-stage STAGE=sft"
        raise InputError("the trained model is not there", where=str(folder), fix=fix)
    return folder


def bundle_summary() -> str:
    """One line on the shipped bundle, without loading it.

    Raises:
        InputError: it is missing or damaged.
    """
    folder = bundle_folder()
    manifest = read_manifest(folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return f"{manifest.stage}/{manifest.name}, {size / 2**20:.1f} MiB, files match their manifest"


def decoder_hash(spec: DecoderSpec) -> str:
    """What identifies the model behind a specification: equal hashes give equal results (for local models).

    Cheap enough for every run: weights without a manifest count by name, size and time, not by content.

    Raises:
        InputError: the model is not there.
    """
    if spec.kind == "tiny":
        return file_hash(bundle_folder() / MANIFEST)
    if spec.kind == "script":
        return file_hash(Path(spec.target))
    root = spec.folder
    if root is None:
        return str(spec)
    # Options of vLLM (a quantization, say) can change what is written.
    digest = hashlib.sha256(spec.target.partition("#")[2].encode() if spec.kind == "vllm" else b"")
    if (root / MANIFEST).is_file():
        if spec.kind == "hf":
            return file_hash(root / MANIFEST)
        digest.update(file_hash(root / MANIFEST).encode())
        return digest.hexdigest()
    for file in sorted(root.rglob("*")):
        if file.suffix in (".json", ".safetensors", ".model"):
            state = file.stat()
            digest.update(f"{file.relative_to(root).as_posix()} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _script(path: Path) -> list[str]:
    """Replies of a script file: a JSON list of calls (objects) or raw texts (strings)."""
    try:
        replies = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(path), fix="write a JSON list of calls") from None
    if not isinstance(replies, list):
        raise InputError("not a list", where=str(path), fix="write a JSON list of calls")
    return [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in replies]
