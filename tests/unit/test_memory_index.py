"""The index of vectors: exact and HNSW, saved and loaded, thrown away and made anew, shared by processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from memory_parts import promoted, store

from hybrid_agent.assemble.decoders import bundle_folder
from hybrid_agent.config.memory import IndexConfig
from hybrid_agent.errors import InputError
from hybrid_agent.memory.embed import HashedEmbedder, HfEmbedder, Vectors, make_embedder
from hybrid_agent.memory.index import VectorIndex, has_faiss

SMALL = {"index": {"exact_below": 20}}
VERBS = "sort copy rename count pack delete list check compare download".split()
THINGS = "report table archive script folder config notebook image log database".split()


def texts(count: int) -> list[str]:
    rng = np.random.default_rng(5)
    picks = rng.integers(10, size=(count, 3)).tolist()
    return [f"{VERBS[a]} the {THINGS[b]} number {n} with {THINGS[c]}" for n, (a, b, c) in enumerate(picks)]


def filled(vectors: Vectors, config: IndexConfig) -> VectorIndex:
    index = VectorIndex(vectors.shape[1], config)
    for begin in range(0, len(vectors), 700):  # crosses from exact to the graph on the way
        part = vectors[begin : begin + 700]
        index.add(np.arange(begin, begin + len(part)) * 3, part)
    return index


needs_faiss = pytest.mark.skipif(not has_faiss(), reason="needs the extra memory (faiss-cpu)")


@needs_faiss
def test_graph_finds_what_comparing_all_finds(tmp_path: Path) -> None:
    vectors = HashedEmbedder(64).embed(texts(3000))
    graph = filled(vectors, IndexConfig(exact_below=1000, search_effort=128))
    exact = filled(vectors, IndexConfig(exact_below=100_000))
    assert (graph.kind, exact.kind, len(graph), len(exact)) == ("hnsw", "exact", 3000, 3000)
    queries = HashedEmbedder(64).embed([text.replace("the", "a") for text in texts(3000)[::60]])
    found = wanted = 0
    for query in queries:
        true = exact.search(query, 10)
        least = float(vectors[true[-1] // 3] @ query) - 1e-3  # ties, and half precision in the graph
        found += sum(float(vectors[each // 3] @ query) >= least for each in graph.search(query, 10))
        wanted += 10
    assert found / wanted >= 0.95


def test_exact_search_is_in_order_and_ids_come_once() -> None:
    index = VectorIndex(2, IndexConfig())
    index.add(np.array([7, 8]), np.array([[1, 0], [0, 1]], np.float32))
    index.add(np.array([7, 9]), np.array([[0.8, 0.6], [0.6, 0.8]], np.float32))
    assert index.search(np.array([1, 0], np.float32), 10) == [7, 9, 8]
    assert VectorIndex(2, IndexConfig()).search(np.array([1, 0], np.float32), 3) == []


def test_without_faiss_every_search_compares_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid_agent.memory.index.has_faiss", lambda: False)  # as where the extra is not installed
    vectors = HashedEmbedder(32).embed(texts(60))
    index = filled(vectors, IndexConfig(exact_below=20))
    assert (index.kind, len(index)) == ("exact", 60)
    assert float(vectors[index.search(vectors[7], 1)[0] // 3] @ vectors[7]) == pytest.approx(1, abs=1e-5)


@needs_faiss
def test_a_saved_index_is_used_and_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    vectors = HashedEmbedder(32).embed(texts(60))
    config, stamp, file = IndexConfig(exact_below=20), {"embedder": "x"}, tmp_path / "i.faiss"
    index = filled(vectors, config)
    index.seq = 60
    index.save(file, stamp)
    loaded = VectorIndex.load(file, 32, config, stamp)
    assert (loaded.kind, len(loaded), loaded.seq) == ("hnsw", 60, 60)
    assert loaded.search(vectors[5], 3) == index.search(vectors[5], 3)
    assert len(VectorIndex.load(file, 32, config, {"embedder": "y"})) == 0
    whole = file.read_bytes()
    for damaged in (whole[:-100], b"x" * len(whole)):
        file.write_bytes(damaged)
        assert len(VectorIndex.load(file, 32, config, stamp)) == 0


@needs_faiss
def test_a_store_survives_the_loss_of_its_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid_agent.memory.finder.SAVE_EVERY", 10)
    notes = texts(40)
    with store(tmp_path, **SMALL) as memory:
        for note in notes:
            promoted(memory, note)
        wanted = memory.retrieve(notes[3], 5)
        assert memory.stats()["index"]["note"] == {"kind": "hnsw", "vectors": 40}
    saved = sorted(path.name for path in tmp_path.glob("index-note.*"))
    assert saved == ["index-note.faiss", "index-note.ids", "index-note.json"]
    for damage in (b"garbage", b""):
        (tmp_path / "index-note.faiss").write_bytes(damage)
        with store(tmp_path, mode="read", **SMALL) as memory:
            assert memory.retrieve(notes[3], 5) == wanted
    (tmp_path / "index-note.json").unlink()
    with store(tmp_path, **SMALL) as memory:
        assert memory.retrieve(notes[3], 5) == wanted


def test_one_process_sees_what_another_promotes_and_archives(tmp_path: Path) -> None:
    with store(tmp_path) as writer, store(tmp_path, mode="read") as reader:
        assert reader.retrieve("use tar", 3) == []
        entry = promoted(writer, "use tar -xzf")
        assert reader.retrieve("use tar", 3) == ["use tar -xzf"]
        writer.archive(entry, why="x")
        assert reader.retrieve("use tar", 3) == []
        writer.rollback(entry)
        assert reader.retrieve("use tar", 3) == ["use tar -xzf"]


def test_goals_of_one_shape_are_near_each_other_whatever_they_name() -> None:
    said = [
        "create a file called notes.txt with the text hello world",
        "create a file called todo.md with the text see you",
        "rename old.txt to new.txt",
        "find all python files and count their lines",
    ]
    vectors = HashedEmbedder().embed(said)
    near = vectors @ vectors[0]
    assert near[1] > 0.6 > near[2] and near[2] > -0.1 and near[3] < 0.4
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert not HashedEmbedder().embed([""]).any()
    assert np.array_equal(HashedEmbedder().embed(said), vectors)  # the same in every process


def test_an_encoder_in_a_folder_can_embed(tmp_path: Path) -> None:
    encoder = make_embedder(f"hf:{bundle_folder() / 'decoder'}")
    assert isinstance(encoder, HfEmbedder)
    vectors = encoder.embed(["sort the names", "sort the names", "delete everything now"])
    assert vectors.shape == (3, encoder.dim)
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-4)
    assert vectors[0] @ vectors[2] < 0.999
    with pytest.raises(InputError, match="no model folder"):
        make_embedder(f"hf:{tmp_path}")
    with pytest.raises(InputError, match="no embedder"):
        make_embedder("hashed:7")
