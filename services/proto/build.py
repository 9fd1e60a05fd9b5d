"""Makes the Python modules of the protos: `python -m services.proto.build`.

They lie in services/hybrid/v1 (not in the repository). `ensure` makes them when they are missing or older than
the protos, so that a fresh checkout works without a build step.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = "services/hybrid/v1"
OUT = ROOT / PACKAGE
STAMP = "made_from"


def protos() -> list[Path]:
    """All proto files, sorted."""
    return sorted(HERE.glob("*.proto"))


def fingerprint() -> str:
    """Changes with the protos and with the runtime that the modules are made for."""
    digest = hashlib.sha256(f"grpcio {version('grpcio')} protobuf {version('protobuf')}\n".encode())
    for proto in protos():
        digest.update(proto.name.encode() + b"\0" + proto.read_bytes() + b"\0")
    return digest.hexdigest()


def fresh() -> bool:
    """Are the modules there, made from these protos?"""
    stamp = OUT / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint()


def ensure() -> None:
    """Make the modules if they are missing or stale.

    Raises:
        RuntimeError: they have to be made, and the compiler (grpcio-tools) is not installed or failed.
    """
    if fresh():
        return
    with (HERE / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not fresh():
            build()


def build() -> None:
    """Make the modules; readers never see half of them.

    Raises:
        RuntimeError: the compiler is not installed, or a proto is wrong.
    """
    try:
        from grpc_tools import protoc
    except ImportError:
        raise RuntimeError("the gRPC modules have to be made: pip install grpcio-tools") from None
    with tempfile.TemporaryDirectory(dir=ROOT / "services", prefix=".protos-") as folder:
        # A proto is known as services/hybrid/v1/NAME.proto, so that the modules import each other by that path.
        out = Path(folder)
        arguments = [f"-I{PACKAGE}={HERE}", f"--python_out={out}", f"--pyi_out={out}", f"--grpc_python_out={out}"]
        if protoc.main(["protoc", *arguments, *(f"{PACKAGE}/{p.name}" for p in protos())]) != 0:
            raise RuntimeError("the protos do not compile")
        made = out / PACKAGE
        for package in (made, made.parent):
            (package / "__init__.py").touch()
        (made / STAMP).write_text(fingerprint())
        shutil.rmtree(OUT.parent, ignore_errors=True)
        made.parent.rename(OUT.parent)


if __name__ == "__main__":
    build()
    print(f"{len(protos())} protos -> {OUT.relative_to(ROOT)}")
