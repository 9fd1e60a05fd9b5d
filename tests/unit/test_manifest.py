"""Run directories: complete or absent, whatever kills the writer."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import write_atomic, write_json
from hybrid_agent.runs.layout import attempts, find_run, new_attempt, open_attempt
from hybrid_agent.runs.manifest import MANIFEST, Manifest, git_state, read_manifest, write_manifest


def finished(root, stage="sft", name="tiny", **fields):
    folder = new_attempt(root, stage, name)
    (folder / "weights").write_bytes(b"\x01\x02")
    write_manifest(folder, Manifest(stage=stage, name=name, attempt=int(folder.name), **fields), ["weights"])
    return folder


def test_what_is_written_is_read(tmp_path):
    folder = finished(tmp_path, seed=3, metrics={"exact": 0.9}, parents={"data": "abc"})
    manifest = read_manifest(folder)
    assert (manifest.seed, manifest.metrics, manifest.parents) == (3, {"exact": 0.9}, {"data": "abc"})
    assert list(manifest.files) == ["weights"] and len(manifest.files["weights"]) == 64


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f: (f / "weights").write_bytes(b"\x01\x03"), "weights.*not the one"),
        (lambda f: (f / "weights").unlink(), "weights.*missing"),
        (lambda f: (f / MANIFEST).unlink(), "not complete"),
        (lambda f: (f / MANIFEST).write_text("{"), "not a valid manifest"),
        (lambda f: (f / MANIFEST).write_text('{"format": 1, "stage": "s"}'), "not a valid manifest"),
        (lambda f: write_json(f / MANIFEST, {"format": 99}), "format.*99.*fix"),
    ],
)
def test_damage_is_named(tmp_path, damage, says):
    folder = finished(tmp_path)
    damage(folder)
    with pytest.raises(InputError, match=says):
        read_manifest(folder)


def test_a_manifest_of_missing_files_is_never_written(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_manifest(tmp_path, Manifest(stage="s", name="n"), ["nothing"])
    assert not (tmp_path / MANIFEST).exists()


def test_attempts_are_numbered_and_found(tmp_path):
    first, second = finished(tmp_path), finished(tmp_path)
    assert [first.name, second.name] == ["001", "002"]
    assert open_attempt(tmp_path, "sft", "tiny") is None
    third = new_attempt(tmp_path, "sft", "tiny")
    assert attempts(tmp_path, "sft", "tiny") == [first, second, third]
    assert open_attempt(tmp_path, "sft", "tiny") == third
    # A directory without a manifest does not exist for readers.
    assert find_run(tmp_path, "sft/tiny") == second
    assert find_run(tmp_path, "sft/tiny/001") == first
    assert find_run(tmp_path, str(first)) == first
    for reference, says in (("sft/other", "sft/tiny"), ("sft/tiny/003", "sft/tiny"), ("nonsense", "sft/tiny")):
        with pytest.raises(InputError, match=f"no complete run.*{says}"):
            find_run(tmp_path, reference)
    new_attempt(tmp_path, "sft", "begun")
    with pytest.raises(InputError, match="none of the 1 attempts has finished"):
        find_run(tmp_path, "sft/begun")
    with pytest.raises(InputError, match="cannot name a folder"):
        new_attempt(tmp_path, "sft", "../x")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_json(tmp_path / "a.json", {"old": 1})

    def fail(temp):
        temp.write_text('{"ne')
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomic(tmp_path / "a.json", fail)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text()) == {"old": 1}


KILLED = """
import os, signal, sys
from pathlib import Path
from hybrid_agent.runs.atomic import write_atomic
from hybrid_agent.runs.manifest import Manifest, write_manifest

folder = Path(sys.argv[1])
def half(temp):
    temp.write_text('{"format": 1, "sta')
    os.kill(os.getpid(), signal.SIGKILL)

(folder / "weights").write_bytes(b"w")
write_atomic(folder / "manifest.json", half)
"""


def test_killed_in_the_middle_of_writing_the_manifest(tmp_path):
    old = finished(tmp_path)
    folder = new_attempt(tmp_path, "sft", "tiny")
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], env=environment)
    assert done.returncode == -signal.SIGKILL
    assert any(p.name.endswith(".tmp") for p in folder.iterdir())  # it really was in the middle
    assert find_run(tmp_path, "sft/tiny") == old
    with pytest.raises(InputError, match="not complete"):
        read_manifest(folder)
    write_manifest(folder, Manifest(stage="sft", name="tiny", attempt=2), ["weights"])
    assert find_run(tmp_path, "sft/tiny") == folder


def test_outside_a_repository_there_is_no_commit(tmp_path):
    assert git_state(tmp_path) == (None, None)
