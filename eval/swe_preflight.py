"""Is everything there that an evaluation in containers needs? Asked before the first image is touched."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from hybrid_agent.swe.bench.dataset import Row

Level = Literal["ok", "warning", "error"]
GIB = 2**30
FLOOR_GIB = 2.0  # below this even one container is at risk
IMAGE_GIB = 3.0  # an instance's own layers over shared ones; published images are 1 to 5 GiB each
WORKER_GIB = 1.5  # memory of one test run
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
ENGINE_FIX = "start Docker and set DOCKER_HOST, or grade saved logs: --offline --logs DIR"


@dataclass(frozen=True)
class Finding:
    """One line of the report; an `error` stops the run."""

    name: str
    level: Level
    detail: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """For machines."""
        return asdict(self)


def preflight(rows: Sequence[Row], workers: int, folder: Path) -> list[Finding]:
    """What this machine and its engine have, against what the rows need.

    Args:
        rows: of the 5.x schema.
        workers: containers at a time.
        folder: where logs and reports will go.
    """
    try:
        import docker
    except ImportError:
        return [Finding("docker", "error", "the docker package is missing", "pip install 'hybrid-agent[swebench]'")]
    try:
        client = docker.from_env(timeout=20)
        info: dict[str, Any] = client.info()
    except Exception as error:  # the SDK passes on errors of requests, urllib3 and sockets
        said = str(error).splitlines()[0][:200]
        return [Finding("docker", "error", f"the engine does not answer: {said}", ENGINE_FIX)]
    version = str(info.get("ServerVersion", "?"))
    found = [Finding("docker", "ok", f"engine {version}, {info.get('Driver', '?')}, {info.get('NCPU', '?')} cores")]
    if not shutil.which("docker"):
        found.append(Finding("docker client", "error", "no docker command", "the harness stops containers with it"))
    images = sorted({str(row["image"]) for row in rows})
    have = {image: kind for image in images if (kind := _architecture(client, image)) is not None}
    missing = [image for image in images if image not in have]
    found.append(_images(missing, len(images)))
    found.append(_machine(str(info.get("Architecture", platform.machine())), have, missing))
    found.append(_disk(Path(str(info.get("DockerRootDir", "/"))), len(missing)))
    found.append(_memory(int(info.get("MemTotal") or 0), workers))
    if shutil.disk_usage(_existing(folder)).free < GIB:
        found.append(Finding("logs", "error", f"less than 1 GiB free below {folder}", "free some, or set --report_dir"))
    client.close()
    return found


def _architecture(client: Any, image: str) -> str | None:
    import docker

    try:
        return str(client.images.get(image).attrs.get("Architecture", ""))
    except docker.errors.DockerException:
        return None


def _images(missing: Sequence[str], total: int) -> Finding:
    if not missing:
        return Finding("images", "ok", f"all {total} are here")
    shown = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
    fix = "they are pulled if a registry has them; else build them first"
    return Finding("images", "warning", f"{len(missing)} of {total} are not here: {shown}", fix)


def _machine(engine: str, have: dict[str, str], missing: Sequence[str]) -> Finding:
    ours = MACHINES.get(engine, engine)
    wrong = {image: kind for image, kind in have.items() if kind and MACHINES.get(kind, kind) != ours}
    named = {"x86_64": "amd64", "arm64": "arm64"}
    for image in missing:  # published names carry it: sweb.eval.x86_64.<instance>
        for word, kind in named.items():
            if f".{word}." in image and kind != ours:
                wrong[image] = kind
    if not wrong:
        return Finding("architecture", "ok", ours)
    image, kind = next(iter(wrong.items()))
    return Finding(
        "architecture",
        "error",
        f"{len(wrong)} images are for {kind}, the engine runs {ours} ({image})",
        "use a machine of that architecture, or build the images for this one",
    )


def _disk(root: Path, missing: int) -> Finding:
    if not root.exists():
        return Finding("disk", "warning", f"the engine keeps its data at {root}, which cannot be looked at from here")
    free, need = shutil.disk_usage(root).free / GIB, FLOOR_GIB + missing * IMAGE_GIB
    detail = f"{free:.0f} GiB free at {root}, about {need:.0f} needed"
    if free < FLOOR_GIB:
        return Finding("disk", "error", detail, "free some space")
    level: Level = "ok" if free >= need else "warning"
    return Finding("disk", level, detail, "" if level == "ok" else "run fewer instances at a time, remove images")


def _memory(total: int, workers: int) -> Finding:
    have, need = total / GIB, workers * WORKER_GIB
    if not total:
        return Finding("memory", "warning", "the engine does not say how much it has")
    if have >= need:
        return Finding("memory", "ok", f"{have:.0f} GiB for {workers} workers")
    fix = f"--max_workers {max(1, int(have / WORKER_GIB))}"
    return Finding("memory", "warning", f"{have:.0f} GiB is little for {workers} workers", fix)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
