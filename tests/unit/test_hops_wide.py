"""The bundle that hops are measured with writes what the shipped one writes."""

from __future__ import annotations

from pathlib import Path

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.options import DecoderOptions
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Window
from services.bench.hops import widened


def test_a_wider_bundle_writes_the_same_calls(tmp_path: Path) -> None:
    shipped = HfDecoder.from_folder(bundle_folder(), call_schema(), DecoderOptions(threads=1))
    parameters = widened(tmp_path, 3)
    wide = HfDecoder.from_folder(tmp_path, call_schema(), DecoderOptions(threads=1))
    assert parameters > 8 * sum(weight.numel() for weight in _weights(shipped))
    windows = [
        Window(goal="make the folder out, then write hi into out/a.txt"),
        Window(goal="g", phase="step", steps=("copy notes.txt to old.txt",), files=("notes.txt",)),
    ]
    for window in windows:
        calls = [decoder.propose(window, Budget(max_tokens=120), Control())[0].text for decoder in (shipped, wide)]
        assert calls[0] == calls[1] and len(calls[0]) > 20
    assert (tmp_path / "scorer").is_symlink() and not (tmp_path / "manifest.json").exists()


def _weights(decoder: HfDecoder):
    model = decoder.engine.model
    return [getattr(block, name) for block in model.blocks for name in ("qkv", "out", "gate_up", "down")]
