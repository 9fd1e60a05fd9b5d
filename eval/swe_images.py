"""Build the image of an instance on this machine, where no registry has one: python -m eval.swe_images --help

The image is a base image with Python and git, the repository at its base commit in /testbed (no later commit is in it),
and pytest.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hybrid_agent.cli.exits import program
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.swe.bench.dataset import load_rows, require_evaluation, select_rows
from hybrid_agent.swe.bench.repos import git, locate

PYTEST = "/opt/pytest"
DOCKERFILE = f"""ARG BASE
FROM ${{BASE}}
COPY pytest {PYTEST}
COPY testbed /testbed
ENV PYTHONPATH={PYTEST} PYTHONHASHSEED=0
WORKDIR /testbed
"""


def build_image(row: Mapping[str, Any], repository: Path, base_image: str, client: Any) -> None:
    """Build and tag the image that a row names.

    Args:
        row: of the 5.x schema.
        repository: git directory that has its base commit.
        base_image: must be here; it has bash, git and python3.
        client: of the docker package.

    Raises:
        InfraError: git or the engine failed; the message holds its words.
    """
    import docker

    with tempfile.TemporaryDirectory(prefix="swe-image-") as scratch:
        context = Path(scratch)
        (context / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
        clone(repository, str(row["base_commit"]), context / "testbed")
        _copy_pytest(context / "pytest")
        try:
            client.images.get(base_image)
            client.images.build(
                path=str(context), tag=str(row["image"]), buildargs={"BASE": base_image}, rm=True, forcerm=True
            )
        except docker.errors.ImageNotFound:
            raise InputError(
                f"the engine has no image {base_image}", where="--base_image", fix="pull or load it"
            ) from None
        except (docker.errors.BuildError, docker.errors.APIError) as error:
            raise InfraError(f"{row['instance_id']}: the image could not be built: {error}") from None


def clone(repository: Path, commit: str, target: Path) -> None:
    """A work tree at a commit, with the history up to it and nothing else.

    Raises:
        InfraError: git failed.
    """
    target.mkdir()
    for step in (
        ("init", "--quiet", "--initial-branch=main"),
        ("-c", "uploadpack.allowAnySHA1InWant=true", "fetch", "--quiet", str(repository), commit),
        ("reset", "--quiet", "--hard", commit),
    ):
        done = git(target, *step)
        if done.returncode:
            raise InfraError(f"git {step[0]}: {done.stderr.decode(errors='replace').strip()}")


def _copy_pytest(target: Path) -> None:
    from task_packs.swe_mini.jail import pytest_files

    target.mkdir()
    for name, source in pytest_files().items():
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)


def command(
    dataset_name: Annotated[str, typer.Option("--dataset_name", help="Rows of the 5.x schema.")],
    repo_root: Annotated[str, typer.Option("--repo_root", help="Folder of mirrors, a git repository, or a URL.")],
    base_image: Annotated[
        str, typer.Option("--base_image", help="An image that is here, with bash, git and python3.")
    ] = "python:3.11-slim-bookworm",
    split: Annotated[str, typer.Option("--split")] = "test",
    instance_ids: Annotated[list[str] | None, typer.Option("--instance_ids", "-i", help="Only these.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N.")] = None,
) -> None:
    """Build the images of instances on this machine."""
    import docker

    console = Console(highlight=False)
    ids = [part for text in instance_ids or [] for part in text.replace(",", " ").split()]
    rows = select_rows(load_rows(dataset_name, split), ids, limit, dataset_name)
    require_evaluation(rows, dataset_name)
    try:
        client = docker.from_env()
    except docker.errors.DockerException as error:
        raise InfraError(f"the Docker engine does not answer: {error}") from None
    for row in rows:
        build_image(row, locate(str(row["repo"]), repo_root), base_image, client)
        console.print(f"{row['instance_id']}  {row['image']}", soft_wrap=True)
    client.close()


if __name__ == "__main__":
    program(command)
