"""What the pre-flight says of engines that lack something. (A real engine is asked in test_swebench_evaluation.)"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from eval.swe_preflight import Finding, preflight
from eval.swe_report import check_wandb
from hybrid_agent.errors import InputError

GIB = 2**30


class Engine(BaseHTTPRequestHandler):
    """The four paths of the Docker API that are asked, on a real socket."""

    images: ClassVar[dict[str, str]] = {"here:latest": "amd64"}
    info: ClassVar[dict[str, Any]] = {"ServerVersion": "1", "NCPU": 2, "MemTotal": 4 * GIB, "Architecture": "x86_64"}

    def do_GET(self) -> None:
        path = self.path.split("?")[0].split("/", 2)[-1] if self.path.startswith("/v1") else self.path.lstrip("/")
        if path.endswith("info"):
            return self._answer(200, self.info)
        if path.endswith("version"):
            return self._answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        name = path.removeprefix("images/").removesuffix("/json")
        if name in self.images:
            return self._answer(200, {"Id": "sha256:0", "RepoTags": [name], "Architecture": self.images[name]})
        return self._answer(404, {"message": "no such image"})

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Engine]]:
    class Mine(Engine):
        info: ClassVar[dict[str, Any]] = {**Engine.info, "DockerRootDir": str(tmp_path)}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mine)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    yield Mine
    server.shutdown()
    server.server_close()


def looked(images: list[str], folder: Path, workers: int = 2) -> dict[str, Finding]:
    return {found.name: found for found in preflight([{"image": image} for image in images], workers, folder)}


def test_an_engine_that_has_all_is_fine(engine: type[Engine], tmp_path: Path) -> None:
    found = looked(["here:latest"], tmp_path)
    assert found["images"].level == found["architecture"].level == found["memory"].level == "ok"


def test_missing_images_and_little_memory_are_warnings(engine: type[Engine], tmp_path: Path) -> None:
    found = looked(["here:latest", "away:latest"], tmp_path, workers=8)
    assert found["images"].level == "warning" and "1 of 2 are not here: away:latest" in found["images"].detail
    assert found["memory"].level == "warning" and found["memory"].fix == "--max_workers 2"


def test_images_of_another_architecture_are_an_error(engine: type[Engine], tmp_path: Path) -> None:
    engine.info = {**engine.info, "Architecture": "aarch64"}
    found = looked(["here:latest"], tmp_path)
    assert found["architecture"].level == "error" and "amd64" in found["architecture"].detail
    found = looked(["swebench/sweb.eval.x86_64.a_1776_b-1:latest"], tmp_path)
    assert found["architecture"].level == "error", "the name of a published image says it before it is pulled"


def test_a_data_folder_that_cannot_be_seen_is_said(engine: type[Engine], tmp_path: Path) -> None:
    engine.info = {**engine.info, "DockerRootDir": str(tmp_path / "on" / "another" / "machine"), "MemTotal": 0}
    found = looked(["here:latest"], tmp_path)
    assert found["disk"].level == found["memory"].level == "warning"


def test_wandb_is_looked_for_before_anything_is_run() -> None:
    with pytest.raises(InputError, match="use offline or online"):
        check_wandb("maybe")
