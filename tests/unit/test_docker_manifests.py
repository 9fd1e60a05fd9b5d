"""Compose file and Kubernetes manifests against our own code: commands, sockets, ports, walls. Needs no engine."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from hybrid_agent.config.load import load_config
from hybrid_agent.config.serve import ServeConfig

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"


def documents(path: Path) -> list[Any]:
    """All YAML documents of a file, merges done."""
    return list(YAML(typ="safe").load_all(path.read_text()))


COMPOSE = documents(DOCKER / "compose.yaml")[0]["services"]
OURS = {name: service for name, service in COMPOSE.items() if name != "vllm"}
CELL = next(d for d in documents(DOCKER / "k8s/base/cell.yaml") if d["kind"] == "StatefulSet")
POD = CELL["spec"]["template"]["spec"]
COMMANDS = [s["command"] for s in OURS.values()] + [c["args"] for c in POD["containers"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_are_modules_with_a_valid_config(command: list[str]) -> None:
    module, *overrides = command
    assert importlib.util.find_spec(module) is not None
    if module == "services.container":
        assert overrides.pop(0) in ("decoder", "scorer", "planner", "tools")
    config = load_config("serve", overrides, ServeConfig)
    assert config.services.sockets in ("/sockets", "/run/agent/sockets")


@pytest.mark.parametrize("name", OURS)
def test_containers_have_no_rights(name: str) -> None:
    service = OURS[name]
    assert service["user"] == "10001:10001" and service["read_only"] and service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"] and "privileged" not in service
    assert service["restart"] == "unless-stopped" and service["healthcheck"]["test"][0] == "CMD" and service["init"]
    extra = set(service["security_opt"]) - {"no-new-privileges:true"}
    assert bool(extra) == name.startswith("tools"), "only jails need more"
    assert not any("docker.sock" in volume for volume in service["volumes"])
    if name.startswith(("scorer", "planner", "tools")) or name == "decoder":
        assert service["network_mode"] == "none" and "networks" not in service and "ports" not in service


def test_profiles_are_whole() -> None:
    by_profile: dict[str, set[str]] = {}
    for name, service in COMPOSE.items():
        for profile in service["profiles"]:
            by_profile.setdefault(profile, set()).add(name.removesuffix("-gpu"))
    five = {"gateway", "decoder", "scorer", "planner", "tools"}
    assert by_profile == {"cpu": five, "gpu": five | {"vllm"}}
    defaults = dict(line.split("=") for line in (ROOT / ".env").read_text().splitlines() if not line.startswith("#"))
    assert defaults == {"COMPOSE_FILE": "docker/compose.yaml", "COMPOSE_PROFILES": "cpu"}
    assert "COMPOSE_PROFILES=cpu" in (DOCKER / ".env").read_text()


def test_each_gpu_service_is_pinned_to_a_device_of_its_own() -> None:
    pinned = []
    for name in ("vllm", "scorer-gpu", "planner-gpu", "tools-gpu"):
        (device,) = COMPOSE[name]["deploy"]["resources"]["reservations"]["devices"]
        assert device["driver"] == "nvidia" and device["capabilities"] == ["gpu"]
        pinned += device["device_ids"]
    assert pinned == ["${DECODER_GPU:-0}", "${SCORER_GPU:-1}", "${PLANNER_GPU:-2}", "${TOOLS_GPU:-3}"]


def test_health_is_asked_where_the_service_listens() -> None:
    for name in ("decoder", "scorer", "planner", "tools"):
        assert COMPOSE[name]["healthcheck"]["test"][-1] == f"unix:/sockets/{name}.sock"
        container = next(c for c in POD["containers"] if c["name"] == name)
        assert container["livenessProbe"]["exec"]["command"][-1] == f"unix:/run/agent/sockets/{name}.sock"


def test_the_filter_is_made_from_the_jails_own() -> None:
    done = subprocess.run([sys.executable, DOCKER / "seccomp.py"], capture_output=True, text=True, check=True)
    assert done.stdout == (DOCKER / "seccomp-tools.json").read_text(), "run python docker/seccomp.py again"
    refused = json.loads(done.stdout)["syscalls"][0]["names"]
    assert "bpf" in refused and "mount" not in refused


def test_cells_are_closed_and_the_front_knows_them_all() -> None:
    assert POD["automountServiceAccountToken"] is False and POD["hostUsers"] is False
    assert POD["securityContext"]["runAsNonRoot"] and POD["securityContext"]["runAsUser"] == 10001
    for container in (*POD["containers"], *POD["initContainers"]):
        context = container["securityContext"]
        assert context["capabilities"]["drop"] == ["ALL"] and context["readOnlyRootFilesystem"]
        assert context["allowPrivilegeEscalation"] is False and not context.get("privileged")
        assert (context.get("procMount") == "Unmasked") == (container["name"] == "tools")
    front = documents(DOCKER / "k8s/base/front.yaml")[0]["data"]["nginx.conf"]
    count = CELL["spec"]["replicas"]
    assert re.findall(r"server (cell-\d+):8642", front) == [f"cell-{n}" for n in range(count)]
    services = documents(DOCKER / "k8s/base/cells.yaml")
    names = [service["metadata"]["name"] for service in services]
    chosen = [service["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] for service in services]
    assert names == chosen == [f"cell-{n}" for n in range(count)]


def test_the_gpu_overlay_reaches_every_container() -> None:
    patch = documents(DOCKER / "k8s/gpu/kustomization.yaml")[0]["patches"][0]["patch"]
    operations = YAML(typ="safe").load(patch)
    assert [o["path"].split("/")[5] for o in operations] == [str(n) for n in range(len(POD["containers"]))]
    load_config("serve", [operations[0]["value"]], ServeConfig)


def test_requirements_of_images_are_those_of_the_project() -> None:
    command = [sys.executable, DOCKER / "requirements.py", ROOT / "pyproject.toml", "serve", "memory"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert any(line.startswith("torch==") for line in printed) and any(line.startswith("grpcio==") for line in printed)
    assert all("==" in line for line in printed)
