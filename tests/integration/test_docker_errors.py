"""What people read when the backend `docker` cannot work. Needs no engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_agent.errors import InputError
from hybrid_agent.tools.sandbox import Limits, docker_engine, make_sandbox


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the program `docker`; tests write what it does."""
    path = tmp_path / "bin" / "docker"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", str(path.parent) + ":/usr/bin:/bin")
    docker_engine.docker.cache_clear()
    yield path
    docker_engine.docker.cache_clear()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
            r"no container engine answers.*Cannot connect.*backend bubblewrap",
        ),
        ('echo \'["name=seccomp,profile=default","name=rootless"]\'', "maps user ids .rootless"),
        ("echo '[]'", "no system call filter"),
        (
            "[ $1 = image ] && { echo none >&2; exit 1; }; echo '[\"name=seccomp\"]'",
            "no image 'hybrid-agent-sandbox'.*docker build",
        ),
    ],
)
def test_engines_that_cannot_be_used(program: Path, tmp_path: Path, script: str, said: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(InputError, match=said):
        make_sandbox("docker", tmp_path)


def test_no_program(program: Path, tmp_path: Path) -> None:
    if Path("/usr/bin/docker").exists():
        pytest.skip("docker is where nobody can hide it")
    with pytest.raises(InputError, match=r"docker is not installed.*bubblewrap"):
        make_sandbox("docker", tmp_path)


def test_paths_survive_the_command_line(tmp_path: Path) -> None:
    """Mounts are given as CSV: commas and quotes in a path must not become fields."""
    import csv

    odd = tmp_path / 'a,target=x "b"'
    arguments = docker_engine.run_arguments(
        "name", "image", str(odd), tmp_path, {}, Limits(), user=(5, 6), writable=False, program="pass"
    )
    record = next(csv.reader([arguments[arguments.index("--mount") + 1]]))
    assert record[1] == f"source={odd}" and record[2] == "target=/workspace" and record[-1] == "readonly"
    joined = " ".join(arguments)
    for flag in (
        "--network none",
        "--cap-drop ALL",
        "no-new-privileges",
        "--read-only",
        "--pull never",
        "--log-driver none",
    ):
        assert flag in joined
