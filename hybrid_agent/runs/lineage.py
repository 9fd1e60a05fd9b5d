"""Where a run, a bundle or a data set comes from: manifests name their parents by hash, and the chain is followed here.

Every file that a manifest lists is hashed again on the way. Folders move and are deleted: what is not found under the
folders that are searched is `missing`, with what the child's manifest still says of it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hybrid_agent.errors import InputError
from hybrid_agent.runs.atomic import file_hash
from hybrid_agent.runs.catalog import PROVENANCE, Catalog
from hybrid_agent.runs.manifest import MANIFEST, Manifest, read_manifest
from hybrid_agent.types import Record

Kind = Literal["bundle", "run", "data"]
State = Literal["ok", "changed", "missing"]
RUN = "run"  # what a bundle's manifest calls the run of its decoder
SHORT = 12


class Node(Record):
    """A link of the chain.

    `id` is the SHA-256 of its manifest (of provenance.json, of the data file), or a made-up one where no hash was
    kept. `note` says what is wrong or what is known instead. `facts` are command, code, seed, config, counts.
    """

    id: str
    kind: Kind
    name: str
    state: State
    where: str | None = None
    note: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


class Edge(Record):
    """`child` was made from `parent`, which it calls `role`."""

    child: str
    role: str
    parent: str


class Lineage(Record):
    """The chain: nodes in the order in which they were met, the first is what was asked about."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def intact(self) -> bool:
        """False if a file is not the one that its manifest was written for."""
        return all(node.state != "changed" for node in self.nodes)

    def parents(self, node: str) -> list[tuple[str, Node]]:
        """(role, parent) of a node."""
        by_id = {each.id: each for each in self.nodes}
        return [(edge.role, by_id[edge.parent]) for edge in self.edges if edge.child == node]


def trace_lineage(
    folder: Path, roots: Sequence[Path], known: Mapping[str, str] | None = None, repository: Path | None = None
) -> Lineage:
    """Follow the parents of what lies in a folder.

    Args:
        folder: a finished run, a bundle, or a folder of labelled rollouts.
        roots: where parents are searched for; they may lie several folders deep.
        known: hash -> name of data that is in no such folder (task packs).
        repository: where commits are looked up; None: they are not.

    Raises:
        InputError: there is neither a manifest nor a provenance.json in the folder, or it cannot be read.
    """
    tracer = _Tracer(Catalog([folder, *roots]), dict(known or {}), repository)
    if (folder / MANIFEST).is_file():
        tracer.manifest(file_hash(folder / MANIFEST), folder)
    elif (folder / PROVENANCE).is_file():
        tracer.dataset(file_hash(folder / PROVENANCE), folder)
    else:
        fix = "name a finished run, a bundle or a folder of rollouts"
        raise InputError(f"neither {MANIFEST} nor {PROVENANCE} in it", where=str(folder), fix=fix)
    return Lineage(nodes=tuple(tracer.nodes.values()), edges=tuple(dict.fromkeys(tracer.edges)))


class _Tracer:
    def __init__(self, catalog: Catalog, known: dict[str, str], repository: Path | None) -> None:
        self.catalog, self.known, self.repository = catalog, known, repository
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []

    def manifest(self, digest: str, folder: Path) -> None:
        """A run or bundle that is there."""
        manifest = read_manifest(folder, verify=False)
        trouble = wrong_files(folder, manifest.files)
        bundled = RUN in manifest.parents
        name = folder.name if bundled else _run_name(manifest.stage, manifest.name, manifest.attempt)
        facts = self._facts(manifest.model_dump()) | {"files": len(manifest.files)}
        state: State = "changed" if trouble else "ok"
        kind: Kind = "bundle" if bundled else "run"
        self._put(Node(id=digest, kind=kind, name=name, state=state, where=str(folder), note=trouble, facts=facts))
        if bundled:
            self._bundle(digest, manifest)
            return
        for role, parent in manifest.parents.items():
            self._follow(digest, role, parent)
        self._data(digest, manifest.data_hash, said_in=manifest.config)

    def dataset(self, digest: str, folder: Path) -> None:
        """A folder of labelled rollouts."""
        body = _read_json(folder / PROVENANCE)
        trouble = wrong_files(folder, body.get("files") or {})
        facts = {key: body[key] for key in ("what", "split", "records", "seed", "code_hash") if body.get(key)}
        facts |= {"seeds": ", ".join(f"{pack} {a}..{b}" for pack, (a, b) in (body.get("seeds") or {}).items())}
        state: State = "changed" if trouble else "ok"
        name = f"{body.get('what', 'data')} {folder.name}"
        self._put(Node(id=digest, kind="data", name=name, state=state, where=str(folder), note=trouble, facts=facts))
        self._follow(digest, "decoder", body.get("decoder_hash"), {"run": body.get("decoder")})
        for pack, value in (body.get("packs") or {}).items():
            self._data(digest, value, f"pack {pack}")

    def _bundle(self, digest: str, manifest: Manifest) -> None:
        """A bundle's manifest is that of its decoder's run, plus what it says of each other part."""
        about: Mapping[str, Any] = manifest.metrics.get("parts") or {}
        body = manifest.model_dump()
        rest = {role: parent for role, parent in manifest.parents.items() if role != RUN and role not in about}
        body |= {"run": _run_name(manifest.stage, manifest.name, manifest.attempt), "parents": rest}
        self._follow(digest, "decoder", manifest.parents[RUN], body)
        for place, said in about.items():
            self._follow(digest, place, manifest.parents.get(place), said)

    def _follow(self, child: str, role: str, digest: str | None, said: Mapping[str, Any] | None = None) -> None:
        """One parent: read it if it is found, else keep what the child says of it."""
        said = said or {}
        key = digest or f"{child}/{role}"
        self.edges.append(Edge(child=child, role=role, parent=key))
        if key in self.nodes:
            return
        folder = self.catalog.find(digest) if digest else None
        if folder is not None and digest is not None:
            try:
                (self.manifest if (folder / MANIFEST).is_file() else self.dataset)(digest, folder)
            except InputError as error:
                where = str(folder)
                self._put(Node(id=digest, kind="run", name=folder.name, state="changed", where=where, note=error.what))
            return
        if digest and role.startswith("contexts/"):  # a data file, by its own hash
            self.edges.pop()
            self._data(child, digest, role)
            return
        name = str(said.get("run") or role)
        self._put(Node(id=key, kind="run", name=name, state="missing", note=self._other(name), facts=self._facts(said)))
        for further, parent in (said.get("parents") or {}).items():
            self._follow(key, further, parent)
        self._data(key, said.get("data_hash"), said_in=said.get("config"))

    def _data(
        self, child: str, digest: str | None, role: str = "data", said_in: Mapping[str, Any] | None = None
    ) -> None:
        """The data of a run: a folder of rollouts, a corpus, a task pack, a file that its config names, or only its
        hash."""
        if not digest:
            return
        folder = self.catalog.find_data(digest) or named_file(said_in or {}, digest)
        if folder is not None and (folder / PROVENANCE).is_file():
            found = file_hash(folder / PROVENANCE)
            self.edges.append(Edge(child=child, role=role, parent=found))
            if found not in self.nodes:
                self.dataset(found, folder)
            return
        self.edges.append(Edge(child=child, role=role, parent=digest))
        if digest in self.nodes:
            return
        name = self.known.get(digest) or (folder.name if folder else role)
        here = folder is not None or digest in self.known
        where = str(folder) if folder else None
        self._put(Node(id=digest, kind="data", name=name, state="ok" if here else "missing", where=where))

    def _facts(self, said: Mapping[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        if said.get("command"):
            facts["command"] = said["command"]
        if sha := said.get("git_sha"):
            dirty = said.get("git_dirty")
            changes = " with uncommitted changes" if dirty else ""
            facts["code"] = f"{sha[:SHORT]}{changes}{self._commit(sha)}"
        if "seed" in said:
            facts["seed"] = said["seed"]
        if said.get("config"):
            text = json.dumps(said["config"], sort_keys=True)
            facts["config"] = hashlib.sha256(text.encode()).hexdigest()[:SHORT]
        if said.get("versions"):
            facts["versions"] = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
        return facts

    def _commit(self, sha: str) -> str:
        if self.repository is None:
            return ""
        command = ["git", "cat-file", "-e", f"{sha}^{{commit}}"]
        try:
            done = subprocess.run(command, cwd=self.repository, capture_output=True, timeout=20)
        except (OSError, subprocess.SubprocessError):
            return ""
        return ", in this repository" if done.returncode == 0 else ", not in this repository"

    def _other(self, name: str) -> str:
        """What to say if a run of the same name is there, but is not the one that was used."""
        found = self.catalog.named(name)
        return f"{found} is another run of that name" if found is not None else ""

    def _put(self, node: Node) -> None:
        self.nodes[node.id] = node


def named_file(config: Mapping[str, Any], digest: str) -> Path | None:
    """The file with that hash among those that a config names."""
    for value in config.values():
        if isinstance(value, Mapping):
            if (found := named_file(value, digest)) is not None:
                return found
        elif isinstance(value, str) and Path(value).is_file() and file_hash(Path(value)) == digest:
            return Path(value)
    return None


def wrong_files(folder: Path, files: Mapping[str, str]) -> str:
    """Which of the listed files are gone or not what they were; empty if all are."""
    wrong = []
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{name} is gone")
        elif file_hash(path) != digest:
            wrong.append(f"{name} was changed")
    return "; ".join(wrong)


def _run_name(stage: str, name: str, attempt: int) -> str:
    return f"{stage}/{name}/{attempt:03d}"


def _read_json(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(path), fix="build it anew") from None
    if not isinstance(body, dict):
        raise InputError("not a JSON object", where=str(path), fix="build it anew")
    return body
