"""Processes: exit status, time limit, a background job that is started, noted and stopped."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain
from hybrid_agent.types import CommandCheck, EqualsCheck, ExistsCheck, MatchesCheck
from task_packs.os.calls import shell
from task_packs.os.data import file


def _status(draw: Draw) -> Scene:
    script, out, code = draw.path("sh"), draw.file("txt", "status", "out"), draw.choice((0, 1, 2, 3, 7, 42))
    body = f"#!/bin/sh\necho {draw.phrase(1, 3)}\nexit {code}\n"
    return Scene(
        slots={"script": name(script), "out": name(out)},
        setup=[file(script, body)],
        gold=[shell(f"sh {script}; echo $? > {out}")],
        done=ExistsCheck(path=out),
        checks=[EqualsCheck(path=out, text=str(code)), EqualsCheck(path=script, text=body)],
    )


def _limit(draw: Draw) -> Scene:
    script, out, slow = draw.path("sh"), draw.file("txt", "status", "out"), draw.chance(0.5)
    seconds, code = (1, 124) if slow else (draw.number(2, 60), draw.choice((0, 1, 3)))
    body = f"#!/bin/sh\necho {draw.phrase(1, 3)}\n" + ("exec sleep 30\n" if slow else f"exit {code}\n")
    return Scene(
        slots={"script": name(script), "seconds": plain(seconds), "out": name(out)},
        setup=[file(script, body)],
        gold=[shell(f"timeout {seconds} sh {script}; echo $? > {out}")],
        done=ExistsCheck(path=out),
        checks=[EqualsCheck(path=out, text=str(code)), EqualsCheck(path=script, text=body)],
    )


def _background(draw: Draw) -> Scene:
    script, out, mark = draw.path("sh"), draw.file("pid"), draw.file("started")
    body = f"#!/bin/sh\necho {draw.word()} > {mark}\nexec sleep 30\n"
    return Scene(
        slots={"script": name(script), "out": name(out)},
        setup=[file(script, body)],
        gold=[shell(f"sh {script} & echo $! > {out}; sleep 1; kill $!")],
        done=CommandCheck(cmd=f"test -s {out}"),
        checks=[
            MatchesCheck(path=out, pattern=r"\A[1-9][0-9]*\n?\Z"),
            ExistsCheck(path=mark, type="file"),
            EqualsCheck(path=script, text=body),
        ],
    )


INTENTS = [
    Intent(
        family="processes",
        name="process_status",
        train=(
            "[run|execute|start|call] {script} and [save|write|store|record] its "
            "[exit status|exit code|return code] [in|to|into] {out}",
            "[save|write|store|record|put] the [exit status|exit code] of {script} [in|into|to] {out}",
            "[execute|call|run|start] the script {script}, [exit code|exit status] to {out}",
            "{out} [should|must] [hold|contain|get] the [exit code|exit status|return code] of {script}",
            "[note|record|keep] in {out} the [exit status|return code|exit code] [of|that comes from] the "
            "script {script}",
            "[see|find out|check] with which [exit code|exit status] {script} ends and [save|write|note] it in {out}",
            "[record|write|store] how the script {script} [exits|ends] as its exit code in {out}",
            "[test|try] {script} and [put|write|note] the [return code|exit code|exit status] [in|into] {out}",
        ),
        val=(
            "note the return code with which the script {script} exits in {out}",
            "call the script {script}, storing its exit status in {out}",
        ),
        held=(
            "try the script {script} and record its exit code to {out}",
            "into {out}, put the exit status that {script} ends with",
            "the return code of the script {script} must be kept in {out}, so run it",
        ),
        build=_status,
    ),
    Intent(
        family="processes",
        name="process_limit",
        train=(
            "[run|execute|start] {script} with a [time limit|timeout|limit] of {seconds} seconds and "
            "[save|write|store|record] the [exit status|exit code] [in|to|into] {out}",
            "[let|allow] {script} run for at most {seconds} seconds and [save|write|put] its exit "
            "[status|code] [in|to] {out}",
            "[limit|restrict] {script} to {seconds} seconds and [record|store|write] the "
            "[exit code|exit status] in {out}",
            "with a timeout of {seconds} seconds, [run|execute|call] {script}, [saving|writing|storing] the "
            "exit code [in|to] {out}",
            "[stop|end|kill] {script} after [these|] {seconds} seconds [at most|at the latest|], and "
            "[save|write|note] its exit status in {out}",
            "{script} [may|can|must] [run|take] at most {seconds} seconds: [run|start] it and "
            "[write|note|save] its exit code to {out}",
            "[execute|run|call] {script}, but [no longer than|not longer than|at most] {seconds} seconds, "
            "exit [code|status] to {out}",
            "[record|save|put] in {out} the [exit status|exit code] of {script} under a "
            "[timeout|time limit] of {seconds} seconds",
        ),
        val=(
            "call {script} with at most {seconds} seconds to run, and note its exit status in {out}",
            "under a time limit of {seconds} seconds, start {script} and save the exit code in {out}",
        ),
        held=(
            "restrict the run of {script} to at most {seconds} seconds, its exit code should be put in {out}",
            "allow at most {seconds} seconds for {script}, kill it after these and store the exit status in {out}",
            "{out} should hold the exit code of {script}, which can take no longer than {seconds} seconds",
        ),
        build=_limit,
    ),
    Intent(
        family="processes",
        name="process_background",
        train=(
            "[start|run|launch|execute] {script} in the background, [write|save|store] its [pid|process id] "
            "[to|in] {out} and "
            "[stop|kill|end] it",
            "[launch|start|run] {script} as a background [process|job], [note|save|keep|record] the pid in {out} and "
            "[kill|stop] [it|the process]",
            "[write|save|record|put] the [pid|process id] of a background run of {script} [to|in|into] {out} and "
            "[stop|end|kill] the process",
            "[run|start] {script} in the background just long enough to [note|save|record] its pid in "
            "{out}, [kill|stop] it directly",
            "[start|launch] the [job|process] {script} in the background and [stop|kill|end] it once its "
            "[pid|process id] is in {out}",
            "in the background, [start|run|launch] {script}: its pid goes to {out}, [stop|kill|end] it "
            "[directly|once that is done]",
            "{out} [should|must] [hold|contain|get] the [pid|process id] of {script}, "
            "[started|launched|run] in the background and "
            "[stopped|killed] again",
            "[launch|start] a background [process|job] from {script}, [put|write] the process id in {out}, "
            "[kill|stop|end] the process",
        ),
        val=(
            "record in {out} the pid of {script} started in the background, and kill the job",
            "launch {script} in the background, keep the process id in {out} and end the process again",
        ),
        held=(
            "as a background job, execute {script} and note the process id in {out}, stop the job directly",
            "let {script} run in the background, store the pid in {out} and kill the process",
            "the process id of the background process {script} must be in {out}, stop it once that is done",
        ),
        build=_background,
    ),
]
