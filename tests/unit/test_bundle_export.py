"""A bundle of all parts: what is copied, how, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from decoder_models import model, tokenizer
from safetensors.torch import load_file, save_file

from hybrid_agent.assemble.decoders import parse_decoder
from hybrid_agent.assemble.parts import find_parts
from hybrid_agent.config.hybrid import TUNED, HybridConfig, Thresholds, read_tuned
from hybrid_agent.constrain.lexicon import Lexicon
from hybrid_agent.decoder.bundle import export_bundle, load_bundle, part_sizes, parts_of
from hybrid_agent.decoder.hf import HfDecoder
from hybrid_agent.decoder.shaping import WIDTH, Shaper
from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import Adapter, write_adapter
from hybrid_agent.nn.tokenizer import save_tokenizer, train_tokenizer
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST, Manifest, write_manifest
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Window
from train.export import export, main, portable, strangers

STEP = Window(goal="g", phase="step", steps=("write a",), files=("a.txt",))


def decoder_run(folder: Path, vocabulary: object = None) -> Path:
    model().save_pretrained(str(folder / "decoder"))
    save_tokenizer(vocabulary or tokenizer(), folder / "decoder")
    (folder / "lexicon.json").write_text(Lexicon().to_json())
    return finished(folder, "sft")


def finished(folder: Path, stage: str, **parents: str) -> Path:
    files = [path for path in folder.rglob("*") if path.is_file()]
    command = f"python -m train.run stage={stage} stage.contexts=/somewhere/contexts.jsonl.gz"
    metrics = {"auc/all": 0.95} if stage == "ebm" else {"exact": 0.5}
    manifest = Manifest(stage=stage, name=folder.parent.name, command=command, parents=parents, metrics=metrics)
    write_manifest(folder, manifest, files)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder, a draft, experts, a shaping of strength 0.5, a scorer of fp32 weights, thresholds and a gate."""
    root = tmp_path_factory.mktemp("runs")
    decoder = decoder_run(root / "sft" / "tiny" / "001")
    decoder_run(root / "sft" / "draft" / "001")
    parent = file_hash(decoder / MANIFEST)
    shaping = root / "shaping" / "tiny" / "001"
    steering = torch.randn(model().config.hidden_size, WIDTH, generator=torch.Generator().manual_seed(0))
    Shaper.for_model(model(), tokenizer(), steering).save(shaping / "shaping", {"alpha": 0.5})
    finished(shaping, "shaping", decoder=parent)
    width = model().config.hidden_size
    pair = (torch.randn(2, width) * 0.1, torch.randn(width, 2) * 0.1)
    experts = root / "aoe" / "tiny" / "001"
    write_adapter(Adapter({"model.layers.0.self_attn.q_proj": pair}), experts / "experts" / "shell")
    finished(experts, "aoe", decoder="0" * 64)
    scorer = root / "ebm" / "tiny" / "001"
    (scorer / "scorer").mkdir(parents=True)
    (scorer / "scorer" / "config.json").write_text("{}")
    (scorer / "report.json").write_text("{}")
    finished(scorer, "ebm", decoder=parent)
    tuned = root / "schedule" / "tiny" / "001"
    tuned.mkdir(parents=True)
    (tuned / TUNED).write_text(Thresholds(tau_p=0.7).model_dump_json())
    finished(tuned, "schedule")
    return root


@pytest.fixture(scope="module")
def whole(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("bundles") / "tiny"
    parts = {"scorer": "ebm/tiny", "experts": "aoe/tiny", "draft": "sft/draft", "shaping": "shaping/tiny"}
    export("sft/tiny", parts | {"hybrid": "schedule/tiny"}, runs=runs, dest=dest)
    return dest


def test_the_bundle_holds_every_part_in_its_place(whole: Path, runs: Path) -> None:
    manifest = load_bundle(whole).manifest
    assert list(part_sizes(whole)) == ["decoder", "lexicon.json", "experts", "scorer", "draft", "shaping", TUNED]
    assert not (whole / "scorer" / MANIFEST).exists() and not (whole / "report.json").exists()
    spec = find_parts(parse_decoder(f"hf:{whole}"), HybridConfig())
    assert set(spec.parts) == {"scorer", "experts", "draft", "shaping"} and spec.mode == "adaptive"
    about = manifest.metrics["parts"]["scorer"]
    assert about["run"] == "ebm/tiny/001" and about["metrics"] == {"auc/all": 0.95}
    assert about["command"] == "python -m train.run stage=ebm stage.contexts=contexts.jsonl.gz"
    assert manifest.parents["scorer"] == file_hash(runs / "ebm" / "tiny" / "001" / MANIFEST)
    assert strangers(whole, manifest) == ["experts"]


def test_weights_are_halved_and_the_decoder_still_uses_them(whole: Path, runs: Path) -> None:
    full = load_file(runs / "shaping" / "tiny" / "001" / "shaping" / "shaping.safetensors")["steering"]
    half = load_file(whole / "shaping" / "shaping.safetensors")["steering"]
    assert (full.dtype, half.dtype) == (torch.float32, torch.float16) and torch.equal(full.half(), half)
    decoder = HfDecoder.from_folder(whole, call_schema())
    assert decoder.experts is not None and decoder.experts.names == ("shell",)
    said = decoder.propose(STEP, Budget(max_tokens=60, shaping=0.5, speculate=True), Control())
    plain = HfDecoder.from_folder(whole, call_schema(), parts={}).propose(STEP, Budget(max_tokens=60), Control())
    assert said[0].logprob != plain[0].logprob


def test_the_strength_of_shaping_comes_with_it(whole: Path, runs: Path, tmp_path: Path) -> None:
    assert (read_tuned(whole).alpha, read_tuned(whole).tau_p) == (0.5, 0.7)
    (tmp_path / "mine.json").write_text(Thresholds(alpha=2.0).model_dump_json())
    parts = {"shaping": "shaping/tiny", "hybrid": str(tmp_path / "mine.json")}
    export("sft/tiny", parts, runs=runs, dest=tmp_path / "b")
    assert read_tuned(tmp_path / "b").alpha == 2.0
    export("sft/tiny", {"shaping": "shaping/tiny"}, runs=runs, dest=tmp_path / "b")
    assert read_tuned(tmp_path / "b") == Thresholds(alpha=0.5)
    judged = tmp_path / "runs" / "worth" / "tiny" / "001"
    judged.mkdir(parents=True)
    (judged / TUNED).write_text(Thresholds(route=False).model_dump_json())
    finished(judged, "worth")
    export("sft/tiny", {"shaping": "shaping/tiny", "hybrid": str(judged)}, runs=runs, dest=tmp_path / "b")
    assert read_tuned(tmp_path / "b") == Thresholds(route=False)  # tasks have said that it is worth nothing
    export(str(tmp_path / "b"), {}, runs=runs, dest=tmp_path / "c")
    assert read_tuned(tmp_path / "c").alpha == 0


def test_one_part_of_a_bundle_is_exchanged_and_the_rest_stays(whole: Path, runs: Path, tmp_path: Path) -> None:
    before = load_bundle(whole).manifest
    made = export(str(whole), {"scorer": "none"}, runs=runs, dest=tmp_path / "b")
    assert set(parts_of(tmp_path / "b")) == {"experts", "draft", "shaping", TUNED}
    assert made.metrics["parts"]["experts"] == before.metrics["parts"]["experts"]
    assert made.parents["experts"] == before.parents["experts"] and made.parents["run"] == before.parents["run"]
    assert "scorer" not in made.parents and "scorer" not in made.metrics["parts"]
    again = export(str(tmp_path / "b"), {"scorer": str(whole)}, runs=runs, dest=tmp_path / "b")  # onto itself
    assert again.metrics["parts"] == before.metrics["parts"] and again.parents == before.parents


def test_a_changed_part_is_noticed(whole: Path, runs: Path, tmp_path: Path) -> None:
    export(str(whole), {}, runs=runs, dest=tmp_path / "b")
    (tmp_path / "b" / TUNED).write_text(Thresholds(tau_p=0.1).model_dump_json())
    with pytest.raises(InputError, match="not the one the manifest was written for"):
        load_bundle(tmp_path / "b")


def test_what_does_not_fit_is_refused_and_leaves_the_old_bundle(runs: Path, tmp_path: Path) -> None:
    dest = tmp_path / "b"
    kept = export("sft/tiny", {}, runs=runs, dest=dest)
    other = train_tokenizer(["another text about others"] * 20, 600)
    decoder_run(runs / "sft" / "stranger" / "001", other)
    for parts, says in (
        ({"draft": "sft/stranger"}, "another tokenizer"),
        ({"gate": "ebm/tiny"}, "no gate.json in it"),
        ({"planer": "hrm/tiny"}, "no part 'planer'"),
        ({"scorer": "ebm/other"}, "no complete run"),
    ):
        with pytest.raises(InputError, match=says):
            export("sft/tiny", parts, runs=runs, dest=dest)
    with pytest.raises(InputError, match="too much for a bundle"):
        export_bundle(runs / "sft" / "tiny" / "001", dest, parts=parts_of(dest), limit=1000)
    assert load_bundle(dest).manifest == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b"]


def test_the_command(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "figures.json").write_text(json.dumps({"eval": {"os": 0.9}}))
    more = ["--runs", str(runs), "--dest", str(tmp_path / "b"), "--figures", str(tmp_path / "figures.json")]
    assert main(["sft/tiny", "experts=aoe/tiny", *more]) == 0
    out = capsys.readouterr().out
    assert "experts" in out and "aoe/tiny/001" in out and "made for another decoder" in out
    assert load_bundle(tmp_path / "b").manifest.metrics["eval"] == {"os": 0.9}
    assert main(["sft/tiny", "experts", *more]) == 2
    assert "PART=RUN" in capsys.readouterr().err


def test_large_bundles_go_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = tmp_path / "sft" / "large" / "001"
    decoder_run(large)
    (tmp_path / "scorer").mkdir()
    save_file({"w": torch.zeros(13 * 2**20)}, tmp_path / "scorer" / "model.safetensors")
    given = ["sft/large", f"scorer={tmp_path / 'scorer'}", "--runs", str(tmp_path)]
    assert main([*given, "--dest", str(tmp_path / "made")]) == 2
    assert "MB are too much for a bundle (at most 24;" in capsys.readouterr().err
    assert main([*given, "--limit", "0"]) == 2
    assert "give --dest FOLDER for a larger one" in capsys.readouterr().err
    assert main([*given, "--dest", str(tmp_path / "made"), "--limit", "0"]) == 0
    assert sum(part_sizes(load_bundle(tmp_path / "made").folder).values()) > 26 * 2**20


def test_commands_lose_their_paths() -> None:
    said = "python -m x a=/work/b/c.json 'q=/x/y' /z/w http://h/p runs/p"
    assert portable(said) == "python -m x a=c.json 'q=y' w http://h/p runs/p"
