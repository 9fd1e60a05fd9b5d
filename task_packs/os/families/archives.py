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
            "[wrap|roll|gather] the whole [folder|directory] {dir} up in a [tarball|tar file] [called|named] {archive}",
            "{dir} has to be [packed|archived|compressed] with tar, [call|name] the result {archive}",
            "into the [tarball|tar archive] {archive}, [put|pack|place] [the whole|the complete|the entire] directory {dir}",
            "to get the [tarball|tar file] {archive}, [compress|pack up|bundle] the folder {dir}",
            "i would like [a tarball|a compressed tar archive] of {dir} [saved|stored|written] as {archive}",
            "there should be a [tarball|tar archive] {archive} [made from|built from|with a copy of] the folder {dir}",
            "make sure that {dir} is [kept|saved|backed up] in a [tarball|tar file] [called|named] {archive}",
            "we have to [send|ship|mail] {dir} to somebody, [pack|bundle|wrap] it as the tarball {archive}",
            "{dir} as a [tarball|tar archive|gzipped tar file], [title|file name] {archive}",
            "with tar, [generate|create|prepare] {archive} from [the folder|the directory|everything under] {dir}",
            "take the [folder|directory] {dir}, [tar it up|run tar on it|pack it with tar] and [call|name] the result {archive}",
            "how about a [tarball|tar archive] of {dir}, [named|called|titled] {archive}",
            "let's have [the folder|the directory|all of] {dir} tarred [up as|into] {archive}",
            "see to it that {archive} is a [tarball|tar archive] [of|holding|containing] all of {dir}",
            "what i want is {dir} and all its files [inside|in] one [tarball|tar file], {archive}",
            "once {dir} is [packed|bundled|archived] with tar, [save|store|record] the result as {archive}",
            "[set up|prepare|generate] {archive} as a [tar backup|tarred copy|compressed tar archive] of {dir}",
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
            "[squeeze|wrap|gather] the [complete|entire|whole] directory {dir} into a [zip|zip file] [called|named] {archive}",
            "{dir} is to be [zipped|zipped up], with {archive} as the [name|title] of the [result|archive]",
            "into the [zip|zip archive] {archive}, [place|drop|put] [everything from|all of|the complete] {dir}",
            "to [get|obtain|produce] {archive}, zip the [folder|directory] {dir} with all its [files|documents]",
            "i want the [folder|directory] {dir} [zipped|zipped up] and [saved|stored] as {archive}",
            "there has to be a [zip|zip file|zip archive] {archive} with [everything|all the files] from {dir} in it",
            "make sure the [zip|zip archive] {archive} [gets created|is made|is built] from the folder {dir}",
            "{dir} is too [big|large|bulky] to mail, [compress|pack|squeeze] it into the [zip|zip file] {archive}",
            "{dir} as a [zip|zip file|zip archive], [name|title] it {archive}",
            "with zip, [generate|create|prepare] {archive} out of the [folder|directory] {dir}",
            "take [all of|the whole of|everything in] {dir}, [zip it|zip it up] and [write|save] it as {archive}",
            "how about [zipping|zipping up] the [folder|directory] {dir} [as|into] {archive}",
            "let's [bundle|wrap up|compress] {dir} as a [zip|zip file] and [call|name] it {archive}",
            "see to it that {dir} [ends up|is kept|is backed up] in the [zip|zip archive] {archive}",
            "have {archive} be a [zip|zip file] that [holds|contains|includes] the directory {dir}",
            "what we need is {archive}, a [zip|zip archive|zipped copy] of the [folder|directory] {dir}",
            "[generate|set up|prepare] a [zip backup|zipped copy] of {dir} under the name {archive}",
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
            "[unroll|unwrap|decompress] the [tarball|tar file|tar archive] {archive} so that its files [land|end up] in {dir}",
            "{archive} is a [tarball|tar archive], [unpack|extract|open] it into the [folder|directory] {dir}",
            "in the [folder|directory] {dir}, [place|drop|put] [everything|all the files] from the [tarball|tar file] {archive}",
            "to fill the [folder|directory] {dir}, [extract|unpack|untar] {archive} there with tar",
            "i would like the [tarball|tar archive] {archive} [extracted|unpacked|opened] inside {dir}",
            "we need the [documents|files] [packed|stored] in the [tarball|tar archive] {archive} [out in|inside] {dir}",
            "make sure that [everything|all] from the tarball {archive} is [extracted|unpacked] [in|into] {dir}",
            "the [contents|content] of the [tarball|tar file] {archive} [must|should|have to] [go|end up] in {dir}",
            "nobody can read the [tarball|tar file] {archive} as it is, [extract|unpack|expand] it into {dir}",
            "{archive} untarred [in|into] the [folder|directory] {dir}",
            "with tar, [extract|unpack|restore] [everything|all files] from {archive} [into|to] {dir}",
            "take the [tar file|tar archive] {archive}, [unpack|extract|untar] it and [leave|place] the files in {dir}",
            "how about [extracting|unpacking|untarring] the [tarball|tar archive] {archive} into {dir}",
            "let's [untar|unpack|open up] the [tarball|tar archive] {archive}, with {dir} as the [target|destination]",
            "see to it that {dir} [receives|gets|contains] every file [out of|from] the [tarball|tar archive] {archive}",
            "what i want is to have the [tarball|tar file] {archive} [unpacked|extracted|expanded] under {dir}",
            "{dir} is where the [tarball|tar archive|tar file] {archive} [needs|has] to be [unpacked|extracted]",
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
            "[unwrap|decompress|open up] the [zip|zip file|zip archive] {archive} and [leave|drop] its files in {dir}",
            "{archive} is a [zip|zip file], [extract|unpack|unzip] it [into|inside] the directory {dir}",
            "inside {dir}, [unzip|unpack|expand] [everything|all files] from the [zip|zip archive] {archive}",
            "to get at the files in {archive}, [unzip|extract] it into the [folder|directory] {dir}",
            "i need the [zip|zip file] {archive} [unpacked|extracted|unzipped], [target|destination] folder {dir}",
            "there should be an [unzipped|extracted|unpacked] copy of the zip {archive} in the [folder|directory] {dir}",
            "make sure every file [from|out of] the [zip|zip archive] {archive} [lands|ends up] in {dir}",
            "it is only a [zip|zip file] so far, [unpack|extract|expand] {archive} into {dir}",
            "{archive} unzipped, with its [files|documents|contents] [placed|put] in {dir}",
            "with unzip, [extract|restore|unpack] [the archive|all of] {archive} [to|into] {dir}",
            "take [the zip|the zip file] {archive}, [unzip|extract|unpack] it and [put|store] the [contents|files] into {dir}",
            "how about [unzipping|unpacking|extracting] the zip archive {archive} [into|in] {dir}",
            "let's have the [zip|zip archive] {archive} [expanded|unpacked|extracted] into the folder {dir}",
            "see to it that the [zip|zip file] {archive} is [unzipped|unpacked|extracted] [to|inside] {dir}",
            "have {dir} [contain|hold|receive] the [extracted|unpacked|unzipped] files of the zip {archive}",
            "what we want is {dir} [filled|populated] with the [files|documents] from the [zip|zip archive] {archive}",
            "once unzipped, the [files|documents|contents] of {archive} [belong|should be] in {dir}",
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
