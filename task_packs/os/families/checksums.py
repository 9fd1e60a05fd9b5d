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
            "into {out}, [write|place|print] the {algo} [digest|checksum|hash] of [the file|] {file}",
            "{file}: [calculate|generate|work out] its {algo} [sum|digest|checksum] and [drop|put|store] it in {out}",
            "the {algo} [fingerprint|digest|hash] of {file} [goes to|belongs in|is to be in] {out}",
            "to [compare|recognise] {file} later, [save|record|keep] its {algo} [checksum|hash|digest] in {out}",
            "i would like {out} to [hold|contain|show] the {algo} [digest|checksum|sum] of the [file|document] {file}",
            "we [need|want] a [file|document] {out} with the {algo} [hash|digest|checksum] of {file} in it",
            "there should be a file {out} [holding|that contains|that records] the {algo} [checksum|sum|hash] of {file}",
            "make sure that the {algo} [checksum|digest|sum] of {file} [is stored|is saved|can be found] in {out}",
            "{file} [has to|must|is to] be [hashed|checksummed] with {algo}, [save|store|write] the [digest|result] as {out}",
            "{file} will be [shared|published|sent] soon, [generate|produce|prepare] its {algo} [checksum|hash|digest] in {out}",
            "only the {algo} [sum|digest|hash] of {file}, as {out}",
            "with {algo}, [generate|compute|work out] a [digest|checksum|fingerprint] of {file} and [send|print|write] it to {out}",
            "take {file}, [run|put] it through {algo} and [record|save|write] the [hash|digest|checksum] in {out}",
            "how about [computing|generating|creating] the {algo} [checksum|hash] of {file} and [keeping|saving|storing] it as {out}",
            "let us [have|keep|get] the {algo} [sum|checksum|digest] of {file} in [a file called|the file|] {out}",
            "see to it that {out} [gets|receives|holds] the {algo} [hash|checksum|digest] [computed|calculated|made] from {file}",
            "have {out} [contain|list|report] the {algo} [checksum|sum|digest] for {file}",
            "what i want is the {algo} [checksum|hash|fingerprint] of {file}, [written|saved|printed] to {out}",
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
            "into {out}, [put|write|print] one sha256 [checksum|hash|digest] for [each|every] file in {folder}",
            "{folder}: [hash|checksum] every [file|document] in it with sha256 and [list|store|drop] the [results|sums] in {out}",
            "the sha256 [digests|hashes|checksums] of the files [inside|within|in] {folder} go to {out}",
            "to [get|make|fill] {out}, run sha256sum [on|over] [all|all the|the] files [in|of] {folder}",
            "i would like {out} to [list|show|hold] the sha256 [sum|digest|checksum] of each [file|document] in the [folder|directory] {folder}",
            "we [need|want] a [checksum list|checksum file|list of checksums] {out} covering all files in {folder}, [made with|using] sha256",
            "there should be a [list|file] {out} with the sha256 [hash|digest|sum] of everything in the [directory|folder] {folder}",
            "make sure that {out} [has|contains|holds] [an entry|a line] with the sha256 [checksum|digest] for every file of {folder}",
            "all files in the [directory|folder] {folder} [have to|must|are to] be [hashed|checksummed] with sha256, the [list|output] goes to {out}",
            "the files in {folder} may [change|be damaged] later, so [save|record|keep] their sha256 [checksums|hashes|sums] in {out} now",
            "all sha256 [sums|digests|hashes] of {folder}, [listed|saved|collected] in {out}",
            "with sha256sum, [go over|process|read] every file in {folder} and [send|print|write] the [digests|checksums] to {out}",
            "take each [file|document] in {folder}, [compute|work out|generate] its sha256 [digest|hash|sum] and [list|note|record] it in {out}",
            "how about [collecting|listing|saving] the sha256 [digests|hashes] of all the [documents|files] of {folder} in {out}",
            "let us [build|generate|prepare] a sha256 [checksum|hash] list of the [directory|folder] {folder}, [saved|stored] as {out}",
            "see to it that every file in {folder} has its sha256 [digest|checksum|sum] [recorded|listed|noted] in {out}",
            "have {out} [contain|list|report] sha256 [fingerprints|checksums|digests] for the [whole|entire] content of {folder}",
            "what i want is {out}, a list of the sha256 [sums|hashes|checksums] of the [files|documents] in {folder}",
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
            "into {out}, [write|print|report] whether the files still match [their|the] [sums|hashes|checksums] in {sums}",
            "{sums}: [verify|check|test] the [hashes|sums|checksums] [listed|recorded|stored] there and [put|save|drop] the [outcome|report] in {out}",
            "the [outcome|result|report] of [checking|verifying|testing] the checksum [list|file] {sums} goes to {out}",
            "to [get|fill|produce] {out}, [verify|check|test] all [checksums|sums|hashes] [listed|recorded] in {sums}",
            "i would like {out} to [say|show|tell] whether the [hashes|checksums|sums] in {sums} are [still|] [right|correct|valid]",
            "we [want|need] to know if the files [still|] match {sums}, [report|write|note] the [answer|outcome] in {out}",
            "there should be a [report|file] {out} that [shows|says] which [checksums|sums] in {sums} are [ok|right|good] and which are not",
            "make sure that {sums} is [checked|verified] and the [outcome|result|report] is [saved|stored|written] in {out}",
            "the [checksums|hashes|sums] in {sums} [have to|must|are to] be [verified|checked|tested], with the [output|report|result] in {out}",
            "the files listed in {sums} may be [damaged|corrupt|changed], [check|verify|test] their sums and [record|save] the outcome in {out}",
            "{sums} [checked|verified|tested], the [report|result|outcome] as {out}",
            "with sha256sum in check mode, [go through|process|read] {sums} and [send|print|write] the [output|outcome] to {out}",
            "take the checksum list {sums}, [check|test|verify] the files against it and [record|save|store] the [findings|outcome|result] in {out}",
            "how about [verifying|checking|testing] the [recorded|saved|stored] [sums|hashes] in {sums} and [keeping|saving|storing] the report as {out}",
            "let us [see|check|find out] if every [checksum|hash|sum] in {sums} is [still|] [correct|right], the [answer|outcome] goes to {out}",
            "see to it that {out} [gets|holds|receives] the [verification|check] report for the [checksum|hash] list {sums}",
            "have {out} [list|show|report] for each file in {sums} whether its checksum [matches|is right|is ok]",
            "what i want is a [check|verification|test] of the [checksum file|sums in|hashes in] {sums}, with the [outcome|result] [saved|written] to {out}",
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
