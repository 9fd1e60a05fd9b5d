"""The chain of manifests: found by hash, checked, drawn; what is gone is said to be missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from hybrid_agent.cli.main import app
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.layout import new_attempt
from hybrid_agent.runs.lineage import Lineage, Node, trace_lineage
from hybrid_agent.runs.lineage_draw import as_dot, as_svg, as_text
from hybrid_agent.runs.manifest import MANIFEST, Manifest, write_manifest
from hybrid_agent.traces.provenance import CONTEXTS, PROVENANCE, Provenance, write_provenance


def run(root: Path, stage: str, name: str, parents: dict[str, str], data: str | None = None, **more: object) -> Path:
    folder = new_attempt(root, stage, name)
    (folder / "weights").write_text(f"{stage} {name}")
    manifest = Manifest(stage=stage, name=name, attempt=int(folder.name), parents=parents, data_hash=data, **more)
    write_manifest(folder, manifest, ["weights"])
    return folder


def digest(folder: Path) -> str:
    return file_hash(folder / MANIFEST)


class Chain:
    """A decoder trained twice, rollouts of it, a scorer trained on these, and a bundle of both."""

    def __init__(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.corpus = root / "text.jsonl"
        self.corpus.write_text("{}\n")
        config = {"stage": {"data": str(self.corpus)}}
        self.first = run(root, "sft", "first", {}, file_hash(self.corpus), config=config, seed=3)
        self.second = run(root, "sft", "second", {"init": digest(self.first)})
        self.data = root / "rollouts" / "train"
        self.data.mkdir(parents=True)
        (self.data / CONTEXTS).write_bytes(b"contexts")
        made = digest(self.second)
        packs = {"os": "p" * 64}
        about = Provenance(what="contexts", split="train", decoder="hf:sft/second", decoder_hash=made, packs=packs)
        write_provenance(self.data, about, [CONTEXTS])
        contexts = file_hash(self.data / CONTEXTS)
        self.scorer = run(root, "ebm", "tiny", {"decoder": digest(self.second)}, contexts, git_sha="0" * 40)
        said = {"run": "ebm/tiny/001", "command": "make it", "parents": {"decoder": digest(self.second)}, "seed": 0}
        self.bundle = root / "bundles" / "new"
        self.bundle.mkdir(parents=True)
        (self.bundle / "weights").write_text("both")
        parents = {"init": digest(self.first), "run": digest(self.second), "scorer": digest(self.scorer)}
        whole = Manifest(stage="sft", name="second", parents=parents, metrics={"parts": {"scorer": said}}, seed=5)
        write_manifest(self.bundle, whole, ["weights"])

    def trace(self, folder: Path) -> Lineage:
        return trace_lineage(folder, [self.root], {"p" * 64: "task pack os"})


def links(found: Lineage) -> set[tuple[str, str, str]]:
    names = {node.id: node.name for node in found.nodes}
    return {(names[edge.child], edge.role, names[edge.parent]) for edge in found.edges}


def node(found: Lineage, name: str) -> Node:
    return next(each for each in found.nodes if each.name == name)


def test_a_bundle_leads_to_all_it_was_made_of(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    found = chain.trace(chain.bundle)
    assert links(found) == {
        ("new", "decoder", "sft/second/001"),
        ("new", "scorer", "ebm/tiny/001"),
        ("sft/second/001", "init", "sft/first/001"),
        ("sft/first/001", "data", "text.jsonl"),
        ("ebm/tiny/001", "decoder", "sft/second/001"),
        ("ebm/tiny/001", "data", "contexts train"),
        ("contexts train", "decoder", "sft/second/001"),
        ("contexts train", "pack os", "task pack os"),
    }
    assert found.intact and {each.state for each in found.nodes} == {"ok"}
    assert found.nodes[0].kind == "bundle" and found.nodes[0].id == digest(chain.bundle)
    assert node(found, "sft/first/001").facts["seed"] == 3


def test_a_moved_run_is_found_and_a_deleted_one_is_missing(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "runs")
    shutil.move(chain.first, tmp_path / "runs" / "elsewhere")
    shutil.rmtree(chain.scorer)
    run(tmp_path / "runs", "ebm", "tiny", {})  # another one takes its place
    chain.corpus.unlink()
    found = chain.trace(chain.bundle)
    assert node(found, "sft/first/001").where == str(tmp_path / "runs" / "elsewhere")
    lost = node(found, "ebm/tiny/001")
    assert lost.state == "missing" and lost.facts["command"] == "make it"
    assert "another run of that name" in lost.note
    assert ("ebm/tiny/001", "decoder", "sft/second/001") in links(found)  # the bundle knows its parents
    assert node(found, "data").state == "missing"
    assert found.intact


@pytest.mark.parametrize("what", ["first/weights", "second/weights", "data", "gone"])
def test_a_changed_file_anywhere_is_told_of(tmp_path: Path, what: str) -> None:
    chain = Chain(tmp_path)
    name, note = "sft/first/001", "weights was changed"
    if what == "first/weights":
        (chain.first / "weights").write_text("other")
    elif what == "second/weights":
        (chain.second / "weights").write_text("other")
        name = "sft/second/001"
    elif what == "data":
        (chain.data / CONTEXTS).write_bytes(b"other")
        name, note = "contexts train", f"{CONTEXTS} was changed"
    else:
        (chain.first / "weights").unlink()
        note = "weights is gone"
    found = chain.trace(chain.bundle)
    assert not found.intact
    assert [(each.name, each.note) for each in found.nodes if each.state == "changed"] == [(name, note)]


def test_damaged_manifests_of_parents_do_not_end_it(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    (chain.first / MANIFEST).write_text("{")
    found = chain.trace(chain.second)
    assert [each.state for each in found.nodes] == ["ok", "missing"]  # its hash is no longer the one that is named
    (chain.data / PROVENANCE).write_text("[]")
    with pytest.raises(InputError, match="not a JSON object"):
        chain.trace(chain.data)
    with pytest.raises(InputError, match="neither"):
        chain.trace(tmp_path)


def test_drawings(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    shutil.rmtree(chain.first)
    found = chain.trace(chain.bundle)
    text = as_text(found)
    assert text.startswith(f"bundle new [{digest(chain.bundle)[:12]}] ok")
    assert text.count("see above") == 2 and "init: run init" not in text and "missing" in text
    dot = as_dot(found)
    assert dot.startswith("digraph") and dot.count("->") == len(found.edges) and dot.count("dashed") == 1
    drawing = ElementTree.fromstring(as_svg(found))
    shapes = [element.tag.rpartition("}")[2] for element in drawing.iter()]
    assert shapes.count("rect") == len(found.nodes) and shapes.count("path") == len(found.edges)


def test_the_command(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    cli = CliRunner()

    def ask(*said: str) -> tuple[int, str]:
        done = cli.invoke(app, ["lineage", *said, "--trained", str(tmp_path)])
        return done.exit_code, done.stdout

    code, out = ask("ebm/tiny", "--json")
    assert code == 0 and Lineage.model_validate_json(out).nodes[0].name == "ebm/tiny/001"
    assert ask(str(chain.data))[1].startswith("data contexts train")
    assert "sft/second/001" in ask(str(chain.bundle), "--dot")[1]
    assert ask("bundle", "--svg")[1].startswith("<svg")
    (chain.second / "weights").write_text("other")
    assert ask("ebm/tiny")[0] == 1
    assert isinstance(cli.invoke(app, ["lineage", "bundle", "--svg", "--dot"]).exception, InputError)
    assert isinstance(cli.invoke(app, ["lineage", "sft/none", "--trained", str(tmp_path)]).exception, InputError)
    assert json.loads(ask("tiny", "--json")[1])["nodes"][0]["state"] == "ok"
