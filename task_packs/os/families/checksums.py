"""Checksums: of a file, of every file in a folder, and checking a list of them."""

from __future__ import annotations

import hashlib

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import CommandCheck, EqualsCheck, ExistsCheck
from task_packs.os.calls import shell
from task_packs.os.data import file

ALGORITHMS = ("md5", "sha1", "sha256", "sha512")


def _line(algorithm: str, path: str, text: str) -> str:
    return f"{hashlib.new(algorithm, text.encode()).hexdigest()}  {path}"


def _sum(draw: Draw) -> Scene:
    algorithm, kind = draw.cell("checksums.sum", ALGORITHMS, ("txt", "md", "csv", "dat", "bin", "html"))
    path, body, out = draw.path(kind), draw.lines(2, 6), draw.file("sum", "txt", algorithm)
    return Scene(
        slots={"algo": plain(algorithm), "file": name(path), "out": name(out)},
        setup=[file(path, body)],
        gold=[shell(f"{algorithm}sum {path} > {out}")],
        done=CommandCheck(cmd=f"{algorithm}sum -c {out}"),
        checks=[EqualsCheck(path=out, text=_line(algorithm, path, body)), EqualsCheck(path=path, text=body)],
    )


def _all(draw: Draw) -> Scene:
    folder, out = draw.dir(), draw.file("sum", "txt", "sha256")
    bodies = {f"{folder}/{draw.file()}": draw.lines(1, 4) for _ in range(draw.number(2, 4))}
    return Scene(
        slots={"folder": name(folder), "out": name(out)},
        setup=[file(path, body) for path, body in bodies.items()],
        gold=[shell(f"sha256sum {folder}/* > {out}")],
        done=CommandCheck(cmd=f"sha256sum -c {out}"),
        checks=[
            CommandCheck(
                cmd=f"LC_ALL=C sort -k2 {out}",
                stdout="\n".join(_line("sha256", path, body) for path, body in sorted(bodies.items())),
            )
        ],
    )


def _verify(draw: Draw) -> Scene:
    sums, out = draw.file("sum", "sha256"), draw.file("txt", "log", "out")
    bodies = {draw.file(): draw.lines(1, 4) for _ in range(draw.number(2, 3))}
    listed = "".join(_line("sha256", path, body) + "\n" for path, body in bodies.items())
    damaged = draw.choice(list(bodies)) if draw.chance(0.35) else None
    found = {path: body + "oops\n" if path == damaged else body for path, body in bodies.items()}
    return Scene(
        slots={"sums": name(sums), "out": name(out)},
        setup=[file(sums, listed), *(file(path, body) for path, body in found.items())],
        gold=[shell(f"sha256sum -c {sums} > {out}")],
        done=ExistsCheck(path=out),
        checks=[
            EqualsCheck(path=out, text="\n".join(f"{p}: {'FAILED' if p == damaged else 'OK'}" for p in bodies)),
            EqualsCheck(path=sums, text=listed),
        ],
    )


INTENTS = [
    Intent(
        family="checksums",
        name="checksum_file",
        train=(
            "[write|save|store|put] the {algo} [checksum|sum|hash] of {file} [to|in|into] {out}",
            "[compute|calculate|make|take] the {algo} [checksum|sum|hash] of {file} and [save|write|store] "
            "it [in|to|into] {out}",
            "{out} [should|must] [hold|contain|get] the {algo} [hash|checksum|sum] of {file}",
            "[hash|checksum] {file} with {algo} and [put|save|write] the [result|hash] [in|into|to] {out}",
            "[use|take] {algo} to [hash|checksum] {file}, [result|output] to {out}",
            "for {file}, [compute|calculate|create] the {algo} [hash|checksum] and [keep|store|save] it in {out}",
            "[create|make] {out} with the {algo} [checksum|hash|sum] of {file}",
            "[record|note] the {algo} [checksum|hash|sum] of {file} in {out}",
        ),
        val=(
            "in {out}, note the hash of {file} made with {algo}",
            "calculate the checksum of {file} using {algo} and put it into {out}",
        ),
        held=(
            "take a {algo} hash of the file {file} and record it in {out}",
            "store what {algo} gives as the hash of {file} in {out}",
            "the checksum ({algo}) of {file} should be saved to {out}",
        ),
        build=_sum,
        cells=True,
    ),
    Intent(
        family="checksums",
        name="checksum_folder",
        train=(
            "[write|save|store|put] the sha256 [checksums|sums|hashes] of all files in {folder} [to|in|into] {out}",
            "[compute|calculate|make|take] the sha256 [checksum|hash] of [every|each] file in {folder} and "
            "[save|write|collect] them in {out}",
            "[hash|checksum] [all files|every file|everything] in the folder {folder} with sha256, "
            "[saving|writing|storing] the [result|hashes] [in|to] {out}",
            "{out} [should|must] [hold|contain|list] the sha256 [checksums|hashes|sums] of the files in {folder}",
            "[make|create] a list of sha256 [checksums|sums] for the folder {folder} in {out}",
            "for [all files|every file|each file] in {folder}, [record|write|note] the sha256 "
            "[sum|checksum|hash] [in|to] {out}",
            "[record|collect|gather] the sha256 [checksums|hashes] of what is in the folder {folder} [in|into] {out}",
            "[list|dump] sha256 [sums|hashes|checksums] of the whole folder {folder} [to|in|into] {out}",
        ),
        val=(
            "gather sha256 sums for each file of {folder} in {out}",
            "calculate sha256 hashes of everything in {folder}, storing them in {out}",
        ),
        held=(
            "checksum the whole folder {folder} with sha256 and collect the sums in {out}",
            "the sha256 hashes of every file in the folder {folder} must be written to {out}",
            "note in {out} the sha256 checksum of each file that is in {folder}",
        ),
        build=_all,
    ),
    Intent(
        family="checksums",
        name="checksum_verify",
        train=(
            "[check|verify|test] the [checksums|sums|hashes] in {sums} and [save|write|store|put] the "
            "[result|output] [in|to|into] {out}",
            "[verify|check] the files listed in {sums} [against|by] their checksums, [saving|writing] the "
            "[result|report] [in|to] {out}",
            "[write|save|put|store] the result of [checking|verifying] the [checksums|sums] in {sums} [to|into] {out}",
            "[run|do] a checksum [check|verification] [with|of] {sums} and [save|write|keep] the "
            "[report|result] in {out}",
            "[see|find out|check] whether the [checksums|hashes|sums] in {sums} [match|are right] and "
            "[write|save|note] the "
            "[result|report] in {out}",
            "{out} [should|must] [hold|contain|get] the result of verifying "
            "[the checksums in|the checksum file|] {sums}",
            "use sha256sum to [verify|check] {sums}, [output|result|report] to {out}",
            "[test|check] [the list of checksums|the checksum file] {sums} and [report|write] to {out} "
            "which files [match|are ok]",
        ),
        val=(
            "do the verification of the checksum file {sums} and put the report into {out}",
            "report in {out} whether the files match the sums in {sums}",
        ),
        held=(
            "find out which files match the hashes listed in {sums}, the result goes to {out}",
            "verify {sums} with sha256sum and keep its report in {out}",
            "a checksum verification of {sums} must be made, store its report in {out}",
        ),
        build=_verify,
    ),
]
