"""Journal and pointer: whatever happens in between, they say the same; a rollback needs the bundle as it was."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from hybrid_agent.assemble.decoders import DecoderSpec, bundle_folder, parse_decoder
from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.manifest import MANIFEST, Manifest, write_manifest
from hybrid_agent.runs.promotion import JOURNAL, POINTER, SHIPPED, Promotions, Served, read_events, read_pointer

START = Served(bundle=SHIPPED, manifest="0" * 64)


def bundle(folder: Path, text: str) -> tuple[Path, str]:
    (folder / "decoder").mkdir(parents=True)
    (folder / "decoder" / "config.json").write_text(text)
    (folder / "stray").write_text("not listed")
    write_manifest(folder, Manifest(stage="sft", name=folder.name), ["decoder/config.json"])
    return folder, file_hash(folder / MANIFEST)


def promote(root: Path, folder: Path, digest: str) -> Served:
    with Promotions(root) as book:
        kept = book.keep(folder, digest)
        book.promote(kept, start=START, record=f"canary/{folder.name}/001")
    return kept


def test_promote_and_go_back(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    first, second = bundle(tmp_path / "a", "1"), bundle(tmp_path / "b", "2")
    kept = promote(root, *first)
    assert read_pointer(root / POINTER).serving == kept
    assert {p.name for p in (root / kept.bundle).iterdir()} == {"decoder", MANIFEST}
    shutil.rmtree(first[0])  # the copy does not care
    promote(root, *second)
    with Promotions(root) as book:
        assert book.roll_back() == kept
        assert book.serving == kept
        assert book.roll_back() == START
        with pytest.raises(InputError, match="no promotion to take back"):
            book.roll_back()
    assert read_pointer(root / POINTER).serving == START
    assert [event.what for event in read_events(root)] == [
        "start",
        "promoted",
        "promoted",
        "rolled_back",
        "rolled_back",
    ]
    promote(root, *second)  # and forward again
    assert read_pointer(root / POINTER).serving.manifest == second[1]


def test_a_kill_between_journal_and_pointer_is_mended(tmp_path: Path) -> None:
    kept = promote(tmp_path, *bundle(tmp_path / "a", "1"))
    pointer = (tmp_path / POINTER).read_text()
    (tmp_path / POINTER).unlink()
    journal = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(journal + b'{"number":3,"what":"rolled_b')  # a line that was cut off
    with Promotions(tmp_path) as book:
        assert book.serving == kept
    assert (tmp_path / POINTER).read_text() == pointer
    assert (tmp_path / JOURNAL).read_bytes() == journal
    (tmp_path / JOURNAL).write_bytes(b"no json\n" + journal)
    with pytest.raises(InputError, match=r"promotions.jsonl:1"), Promotions(tmp_path):
        pass


def test_one_process_at_a_time(tmp_path: Path) -> None:
    import fcntl

    with Promotions(tmp_path), (tmp_path / JOURNAL).open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_promoted_bundle_is_a_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no bundle was promoted yet"):
        parse_decoder("promoted")
    root = tmp_path / "runs"
    kept = promote(root, *bundle(tmp_path / "a", "1"))
    folder = root / kept.bundle
    assert parse_decoder("promoted") == parse_decoder(f"promoted:{root / POINTER}") == DecoderSpec("hf", str(folder))
    monkeypatch.chdir("/")
    monkeypatch.setenv("HYBRID_AGENT_SERVING", str(root / POINTER))
    assert parse_decoder("promoted").target == str(folder)
    body = json.loads((folder / MANIFEST).read_text()) | {"seed": 9}
    (folder / "new").write_text(json.dumps(body))
    os.replace(folder / "new", folder / MANIFEST)  # noqa: PTH105
    with pytest.raises(InputError, match="not the bundle that was promoted"):
        parse_decoder("promoted")
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="is gone"):
        parse_decoder("promoted")
    with Promotions(root) as book:
        book.roll_back()
    assert parse_decoder("promoted") == DecoderSpec("tiny", "") and bundle_folder().is_dir()
    (root / POINTER).write_text("{}")
    with pytest.raises(InputError, match="serving"):
        parse_decoder("promoted")


def test_a_bundle_that_is_gone_cannot_serve_again(tmp_path: Path) -> None:
    first = promote(tmp_path, *bundle(tmp_path / "a", "1"))
    second = promote(tmp_path, *bundle(tmp_path / "b", "2"))
    shutil.rmtree(tmp_path / first.bundle)
    with Promotions(tmp_path) as book, pytest.raises(InputError, match="is gone"):
        book.roll_back()
    assert read_pointer(tmp_path / POINTER).serving == second
