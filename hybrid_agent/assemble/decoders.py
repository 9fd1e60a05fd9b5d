"""From what a person types after `--decoder` to a decoder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hybrid_agent.config.explain import nearest
from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Decoder

OPTION = "--decoder"
KINDS = ("tiny", "hf", "openai")


@dataclass(frozen=True)
class DecoderSpec:
    """`tiny` (the trained bundle), `hf:PATH`, `openai:URL[#MODEL]`, or `script:FILE` (tests: scripted replies)."""

    kind: str
    target: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.target}" if self.target else self.kind


def parse_decoder(text: str) -> DecoderSpec:
    """Read a decoder specification; cheap, so that a mistake is answered before anything is loaded.

    Raises:
        InputError: unknown kind, missing folder, or not a URL.
    """
    kind, colon, target = text.partition(":")
    if kind == "tiny" and not colon:
        return DecoderSpec("tiny", "")
    if kind in ("hf", "script") and target:
        path = Path(target).expanduser()
        if kind == "hf" and not (path / "config.json").is_file():
            fix = "give a folder saved by save_pretrained: hf:PATH"
            raise InputError(f"no model folder at {target}", where=OPTION, fix=fix)
        if kind == "script" and not path.is_file():
            raise InputError(f"no such file: {target}", where=OPTION, fix="give a JSON file with a list of calls")
        return DecoderSpec(kind, str(path.absolute()))
    if kind == "openai" and target:
        if not target.startswith(("http://", "https://")):
            fix = "write the address of the server: openai:http://127.0.0.1:8000/v1"
            raise InputError(f"not a URL: {target}", where=OPTION, fix=fix)
        return DecoderSpec(kind, target)
    close = nearest(kind, KINDS)
    hint = f"did you mean {close!r}? " if close and close != kind else ""
    raise InputError(f"unknown decoder {text!r}", where=OPTION, fix=hint + "use tiny, hf:PATH or openai:URL")


def make_decoder(spec: DecoderSpec) -> Decoder:
    """Load the decoder (seconds for a local model).

    Raises:
        InputError: the bundle or model is not there or damaged.
    """
    if spec.kind == "script":
        from hybrid_agent.decoder.scripted import ScriptedDecoder

        return ScriptedDecoder(_script(Path(spec.target)))
    if spec.kind == "openai":
        from hybrid_agent.decoder.openai import OpenAIDecoder

        url, _, model = spec.target.partition("#")
        return OpenAIDecoder(url, model or None)
    # torch is imported from here on, and only from here on.
    from hybrid_agent.decoder.hf import HfDecoder

    if spec.kind == "tiny":
        return HfDecoder.bundled()
    return HfDecoder.from_folder(Path(spec.target))


def _script(path: Path) -> list[str]:
    """Replies of a script file: a JSON list of calls (objects) or raw texts (strings)."""
    try:
        replies = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(path), fix="write a JSON list of calls") from None
    if not isinstance(replies, list):
        raise InputError("not a list", where=str(path), fix="write a JSON list of calls")
    return [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in replies]
