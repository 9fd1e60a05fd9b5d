"""Promotion with real bundles: the shipped one, the same with a new manifest, and one with damaged weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

from eval.canary import command
from eval.shadow import judge
from hybrid_agent.assemble.decoders import bundle_folder, parse_decoder
from hybrid_agent.cli.exits import program
from hybrid_agent.config.canary import CanaryConfig
from hybrid_agent.config.load import load_config
from hybrid_agent.decoder.bundle import export_bundle, load_bundle, parts_of
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.lineage import trace_lineage
from hybrid_agent.runs.manifest import MANIFEST, read_manifest, write_manifest

ROOT = Path(__file__).resolve().parents[2]
# So few tasks cannot show much: a wide margin lets equal bundles pass, losing all tasks does not.
SAID = ["suites=[os]", "workers=1", "rollbacks=1", "task_timeout_s=1800"]
FEW, FEWER = ["tasks=4", "margin=0.6"], ["tasks=2", "margin=0.8"]
NOISE = 1.5


def another(folder: Path, noise: float) -> Path:
    """A bundle of the shipped decoder, its weights shaken by that share of their spread."""
    source = folder / "source"
    parts = parts_of(bundle_folder())
    export_bundle(bundle_folder(), source, parts=parts)
    weights = source / "decoder" / "model.safetensors"
    tensors = load_file(weights)
    rng = torch.Generator().manual_seed(0)
    for tensor in tensors.values():
        if noise and tensor.ndim > 1:
            tensor += (noise * tensor.float().std() * torch.randn(tensor.shape, generator=rng)).to(tensor.dtype)
    save_file(tensors, weights, {"format": "pt"})
    manifest = read_manifest(source, verify=False).model_copy(update={"name": folder.name})
    write_manifest(source, manifest, manifest.files)
    export_bundle(source, folder / "bundle", command="python -m train.export again", parts=parts)
    return folder / "bundle"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("bundles")
    return {name: another(base / name, noise) for name, noise in (("equal", 0.0), ("worse", NOISE))}


def canary(capsys: pytest.CaptureFixture[str], *said: str) -> tuple[int, dict[str, object]]:
    with pytest.raises(SystemExit) as ended:
        program(command, [*said, "--json"])
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_worse_is_refused_equal_is_promoted_and_taken_back(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    code, body = canary(capsys, f"candidate={bundles['worse']}", f"out={out}", *SAID, *FEW)
    assert (code, body["decision"]) == (1, "refused")
    assert str(body["reasons"][0]).startswith("success: ")  # type: ignore[index]
    assert not (out / "serving.json").exists()

    code, body = canary(capsys, f"candidate={bundles['equal']}", f"out={out}", *SAID, *FEW)
    assert (code, body["decision"], body["reasons"]) == (0, "promoted", [])
    assert body["pairs"] == {"gained": [], "lost": []}
    spec = parse_decoder(f"promoted:{out / 'serving.json'}")
    digest = file_hash(bundles["equal"] / MANIFEST)
    assert load_bundle(Path(spec.target)).manifest.name == "equal"
    assert file_hash(Path(spec.target) / MANIFEST) == digest

    record = Path(str(body["record"]))
    found = trace_lineage(record, [out, bundle_folder().parent])
    roles = {role: node for role, node in found.parents(found.nodes[0].id)}
    assert roles["candidate"].id == digest and roles["candidate"].state == "ok"
    assert roles["serving"].where == str(bundle_folder())

    config = load_config("canary", [f"candidate={bundles['equal']}", f"out={out}", *SAID, *FEW], CanaryConfig)
    with pytest.raises(InputError, match="serves already"):
        judge(config, Console(quiet=True))
    with pytest.raises(InputError, match="serves, not this one"):
        judge(config.model_copy(update={"serving": "bundle"}), Console(quiet=True))

    code, events = canary(capsys, "--rollback", f"out={out}")
    assert code == 0 and [event["what"] for event in events] == ["refused", "start", "promoted", "rolled_back"]  # type: ignore[index]
    assert parse_decoder(f"promoted:{out / 'serving.json'}").kind == "tiny"


def test_a_killed_comparison_goes_on_to_the_same_record(
    bundles: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [f"candidate={bundles['equal']}", *SAID, *FEWER]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    log = tmp_path / "runs" / "eval" / "os"
    process = subprocess.Popen(
        [sys.executable, "-m", "eval.canary", *said], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 300  # only a guard against a hang
        # One result of the candidate is there: the kill falls into the second half.
        while not any(path.stat().st_size for path in log.glob("002/results.jsonl")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "runs" / "promotions.jsonl").exists()
    code, resumed = canary(capsys, *said, f"out={tmp_path / 'runs'}")
    assert code == 0 and (log / "003" / "manifest.json").is_file()
    _, whole = canary(capsys, *said, f"out={tmp_path / 'other'}")
    reports = [Path(str(body["record"])) / "report.json" for body in (resumed, whole)]
    assert reports[0].read_bytes() == reports[1].read_bytes()


def test_what_is_no_bundle_is_told_of(tmp_path: Path) -> None:
    for said, what in (
        ([], "which bundle"),
        (["candidate=nothing"], "no complete run"),
        (["candidate=promoted"], "yet"),
    ):
        config = load_config("canary", [*said, f"out={tmp_path}", f"runs={tmp_path}"], CanaryConfig)
        with pytest.raises(InputError, match=what):
            judge(config, Console(quiet=True))
    with pytest.raises(SystemExit) as ended:
        program(command, ["--rollback", f"out={tmp_path}"])
    assert ended.value.code == 2
