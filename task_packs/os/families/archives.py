"""Archives: pack a folder as tar.gz or zip, unpack either into a folder."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
import zipfile

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name
from hybrid_agent.types import CommandCheck, EqualsCheck, ExistsCheck, MemberCheck, SetupItem
from task_packs.os.calls import fs, shell
from task_packs.os.data import file, folder


def _texts(draw: Draw) -> dict[str, str]:
    return {draw.path("txt", "md", "csv"): draw.lines(1, 4) for _ in range(draw.number(2, 4))}


def _tar(path: str, texts: dict[str, str]) -> SetupItem:
    """A tar, gzipped unless it ends in .tar; times are fixed so that the same seed gives the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for inner, content in texts.items():
            member = tarfile.TarInfo(inner)
            member.size, member.mode, member.mtime = len(content), 0o644, 1_700_000_000
            archive.addfile(member, io.BytesIO(content.encode()))
    data = buffer.getvalue() if path.endswith(".tar") else gzip.compress(buffer.getvalue(), mtime=0)
    return SetupItem(path=path, b64=base64.b64encode(data).decode())


def _zip(path: str, texts: dict[str, str]) -> SetupItem:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for inner, content in texts.items():
            archive.writestr(zipfile.ZipInfo(inner), content)
    return SetupItem(path=path, b64=base64.b64encode(buffer.getvalue()).decode())


def pack_tar(draw: Draw) -> Scene:
    return _pack(draw, draw.file("tar.gz", "tgz"), "tar -czf")


def pack_zip(draw: Draw) -> Scene:
    return _pack(draw, draw.file("zip"), "zip -r")


def _pack(draw: Draw, archive: str, command: str) -> Scene:
    source, texts = draw.dir(), _texts(draw)
    return Scene(
        slots={"dir": name(source), "archive": name(archive)},
        setup=[file(f"{source}/{path}", content) for path, content in texts.items()],
        gold=[shell(f"{command} {archive} {source}")],
        done=MemberCheck(path=archive, member=source),
        checks=[
            *(MemberCheck(path=archive, member=f"{source}/{path}") for path in texts),
            *(EqualsCheck(path=f"{source}/{path}", text=content) for path, content in texts.items()),
        ],
    )


def unpack_tar(draw: Draw) -> Scene:
    """The target folder exists, or tar fails because it does not and the folder is made first."""
    archive, target, texts = draw.file("tar", "tar.gz", "tgz"), draw.dir(), _texts(draw)
    missing = draw.chance(0.5)
    unpack = shell(f"tar -xf {archive} -C {target}")
    return Scene(
        slots={"archive": name(archive), "dir": name(target)},
        setup=[_tar(archive, texts), *([] if missing else [folder(target)])],
        gold=[unpack, fs("mkdir", target), unpack] if missing else [unpack],
        done=CommandCheck(cmd=f"ls {target} | grep ."),
        checks=[
            *(EqualsCheck(path=f"{target}/{path}", text=content) for path, content in texts.items()),
            ExistsCheck(path=archive, type="file"),
        ],
    )


def unpack_zip(draw: Draw) -> Scene:
    archive, target, texts = draw.file("zip"), draw.dir(), _texts(draw)
    return Scene(
        slots={"archive": name(archive), "dir": name(target)},
        setup=[_zip(archive, texts)],
        gold=[shell(f"unzip {archive} -d {target}")],
        done=CommandCheck(cmd=f"ls {target} | grep ."),
        checks=[
            *(EqualsCheck(path=f"{target}/{path}", text=content) for path, content in texts.items()),
            ExistsCheck(path=archive, type="file"),
        ],
    )


INTENTS = [
    Intent(
        family="archives",
        name="pack_tar",
        train=(
            "[pack|compress|bundle] the [folder|directory] {dir} [into|as|to] the [tar archive|tarball] {archive}",
            "[make|create|build|produce] a [tar archive|tarball|compressed tar file] {archive} [of|from] {dir}",
            "[put|store|save] the [folder|directory] {dir} [in|into] the [tar archive|tarball] {archive}",
            "tar [up|] [the folder|the directory|] {dir} [as|into|to] {archive}",
            "from [the folder|the directory|] {dir}, [make|create|build] the [tar archive|tarball] {archive}",
            "the [tarball|tar archive] {archive} should [contain|hold] the [folder|directory] {dir}",
            "[I need|we need] {dir} as a [tarball|tar archive] called {archive}",
            "[back up|save] the [folder|directory] {dir} [as|in] the [compressed tar file|tarball] {archive}",
            "[archive|pack|bundle] everything in {dir} with tar [as|into] {archive}",
            "everything in {dir} should be [archived|packed|bundled] as the [tarball|tar archive] {archive}",
        ),
        val=(
            "[bundle|tar] everything in the directory {dir}, the tarball is to be called {archive}",
            "[build|store] a compressed tarball of {dir} in {archive}",
        ),
        held=(
            "[pack|compress] {dir} with tar, the archive is {archive}",
            "we need a tar archive {archive} with the folder {dir}",
            "the folder {dir} should be [archived|packed] as the tarball {archive}",
            "[produce|build] {archive}, a compressed tar file with everything in {dir}",
        ),
        build=pack_tar,
    ),
    Intent(
        family="archives",
        name="pack_zip",
        train=(
            "[pack|compress|bundle] the [folder|directory] {dir} [into|as|to] the [zip archive|zip file] {archive}",
            "[make|create|build|produce] a [zip archive|zip file|zip] {archive} [of|from] {dir}",
            "[put|store|save] the [folder|directory] {dir} [in|into] the [zip archive|zip file] {archive}",
            "zip [up|] [the folder|the directory|] {dir} [as|into|to] {archive}",
            "from [the folder|the directory|] {dir}, [make|create|build] the [zip archive|zip file] {archive}",
            "the [zip file|zip archive] {archive} should [contain|hold] the [folder|directory] {dir}",
            "[I need|we need] {dir} as a [zip file|zip archive] called {archive}",
            "[back up|save] the [folder|directory] {dir} [as|in] the [zip file|zip archive] {archive}",
            "[archive|pack|bundle] everything in {dir} with zip [as|into] {archive}",
            "everything in {dir} should be [archived|packed|bundled] as the [zip file|zip archive] {archive}",
        ),
        val=(
            "[bundle|zip] everything in the directory {dir}, the zip file is to be called {archive}",
            "[build|store] a compressed zip archive of {dir} in {archive}",
        ),
        held=(
            "[pack|compress] {dir} with zip, the archive is {archive}",
            "we need a zip archive {archive} with the folder {dir}",
            "the folder {dir} should be [archived|packed] as the zip file {archive}",
            "[produce|build] {archive}, a zip with everything in {dir}",
        ),
        build=pack_zip,
    ),
    Intent(
        family="archives",
        name="unpack_tar",
        train=(
            "[unpack|extract|untar|expand] [the tarball|the tar archive|the tar file] {archive} [into|to] {dir}",
            "[unpack|extract|untar] [the tarball|the tar archive] {archive} [in|inside] the [folder|directory] {dir}",
            "[put|place|store] the [contents|content|files] of the [tarball|tar archive|tar file] {archive} into {dir}",
            "from the [tarball|tar archive], [extract|unpack|take] all files of {archive} into {dir}",
            "{dir} should [hold|contain|have] what is [packed|stored] in the [tarball|tar archive] {archive}",
            "[open|take] the [tarball|tar file] {archive} and [unpack|extract|expand] it [in|to] {dir}",
            "into the [folder|directory] {dir}, [unpack|extract] [the tarball|the tar file|the tar archive] {archive}",
            "the tar file {archive} [should be|has to be] [unpacked|extracted|expanded] [in|into] {dir}",
        ),
        val=(
            "[expand|untar] into {dir} what is stored in the tar file {archive}",
            "the files of the tarball {archive} belong in the directory {dir}, [extract|unpack] them",
        ),
        held=(
            "[take|untar] the tar archive {archive} and [put|place] its files into {dir}",
            "[unpack|expand] all that is packed in the tarball {archive} inside the folder {dir}",
            "{dir} should have the contents of the tar file {archive}",
        ),
        build=unpack_tar,
    ),
    Intent(
        family="archives",
        name="unpack_zip",
        train=(
            "[unpack|extract|unzip|expand] [the zip file|the zip archive|the zip] {archive} [into|to] {dir}",
            "[unpack|extract|unzip] [the zip file|the zip archive] {archive} [in|inside] the [folder|directory] {dir}",
            "[put|place|store] the [contents|content|files] of the [zip|zip archive|zip file] {archive} into {dir}",
            "from the [zip file|zip archive], [extract|unpack|take] all files of {archive} into {dir}",
            "{dir} should [hold|contain|have] what is [packed|stored] in the [zip file|zip archive] {archive}",
            "[open|take] the [zip|zip file] {archive} and [unpack|extract|expand] it [in|to] {dir}",
            "into the [folder|directory] {dir}, [unpack|extract] [the zip|the zip file|the zip archive] {archive}",
            "the zip file {archive} [should be|has to be] [unpacked|extracted|expanded] [in|into] {dir}",
        ),
        val=(
            "[expand|unzip] into {dir} what is stored in the zip file {archive}",
            "the files of the zip archive {archive} belong in the directory {dir}, [extract|unpack] them",
        ),
        held=(
            "[take|unzip] the zip archive {archive} and [put|place] its files into {dir}",
            "[unpack|expand] all that is packed in the zip file {archive} inside the folder {dir}",
            "{dir} should have the contents of the zip {archive}",
        ),
        build=unpack_zip,
    ),
]
