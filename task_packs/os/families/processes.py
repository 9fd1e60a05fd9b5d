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
            "into {out}, [write|put|save] the [exit code|return code|exit status] [left by|returned by|that comes from] {script}",
            "{script}: [run|execute|start] it and [put|place|note] the [exit code|return code|exit status] in {out}",
            "the [exit code|exit status|return code] of [a run of|running] {script}, [saved|stored|written] as {out}",
            "to [learn|know|find out] how {script} [ends|exits|finishes], run it and [record|note|write] the exit [code|status] in {out}",
            "i would like {out} to [hold|contain|show] the [exit code|return code|exit status] that {script} [returns|ends with]",
            "there should be a file {out} with the [exit status|exit code|return code] you get from [running|executing] {script}",
            "{script} [is to be|has to be|must be] [run|executed|started], with its exit [code|status] [written|recorded|noted] in {out}",
            "we do not know whether {script} [works|fails|succeeds], run it and [save|store|keep] its [exit code|exit status] as {out}",
            "the [exit|return] code of {script} [to|into|as] {out}",
            "once {script} has [ended|finished|run], its [exit status|return code|exit code] should be [written|saved] to {out}",
            "how about [running|starting|executing] {script} and [writing|noting|saving] its [return code|exit code] in {out}",
            "see to it that the [exit status|exit code|return code] of {script} is [stored|recorded|placed] in {out}",
            "have {script} [run|executed|started] and the [code|status] it exits with [stored|saved|recorded] in {out}",
            "what i want is {out} with the exit [status|code] of {script}, not [its output|what it prints]",
            "as {out}, [save|keep|record] the [status|code] that {script} [exits|ends] with",
            "launch {script}, wait [until it ends|for it to finish] and [drop|put|write] its [exit code|return code|exit status] into {out}",
            "whatever [exit code|return code|exit status] {script} [gives|returns|finishes with], [write|store|record] it in {out}",
            "let's [see|check|find out] whether {script} [succeeds|fails], with its exit [code|status] [written|saved] to {out}",
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
            "into {out}, [write|put|save] the [exit code|exit status|return code] of {script} [limited|restricted] to {seconds} seconds",
            "{script}: [run|start|execute] it for [at most|no more than|up to] {seconds} seconds and [note|put|save] its exit code in {out}",
            "the [exit code|exit status|return code] of {script} after [at most|no more than|up to] {seconds} seconds, [saved|written|stored] as {out}",
            "to [get|produce|fill] {out}, [run|execute] {script} with a timeout of {seconds} seconds and [record|store] the exit [code|status] there",
            "i would like {out} to [hold|contain|show] the exit [code|status] of {script} with a {seconds} second [limit|timeout|time limit]",
            "there should be a file {out} with the [exit status|return code|exit code] of {script}, [cut off|stopped|killed] after {seconds} seconds",
            "{script} [is to be|has to be|must be] [stopped|ended|killed] if it [takes|needs] more than {seconds} seconds, exit [code|status] to {out}",
            "{script} [might hang|may never end|could run forever], [run|start] it with a {seconds} second timeout and [write|save] its exit code to {out}",
            "{script} with a timeout of {seconds} seconds, exit [code|status] [to|into] {out}",
            "once {script} has [ended|finished] or {seconds} seconds have [passed|gone by], stop it and [record|note] the exit [code|status] in {out}",
            "how about [running|starting|executing] {script} for {seconds} seconds at most and [noting|writing|saving] the exit [status|code] in {out}",
            "see to it that {script} [runs|lasts] no longer than {seconds} seconds and its [exit code|return code] is [stored|saved] in {out}",
            "have {script} [run|executed|started] under a [time limit|timeout] of {seconds} seconds, with its exit [status|code] [recorded|saved] in {out}",
            "what i want is {out} with the exit [code|status] of {script}, which [gets|has] at most {seconds} seconds to [run|finish|complete]",
            "as {out}, [record|save|store] the exit [status|code] that {script} [gives|returns] under a limit of {seconds} seconds",
            "give {script} [at most|no more than|only|up to] {seconds} seconds to [finish|run|complete] and [record|write|put] its [return code|exit code] in {out}",
            "run {script}, [stop|kill|end|interrupt] it if it is still [running|alive] after {seconds} seconds, and [save|note|store] the exit code in {out}",
            "launch {script}, [allow|give] it [at most|up to] {seconds} seconds and [store|keep|record] its exit [code|status] [as|in] {out}",
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
            "into {out}, [write|put|save] the [pid|process id] of {script} [running|started|launched] in the background, [kill|stop|end] it afterwards",
            "{script}: [run|start|launch] it in the background, [note|put|place] its pid in {out} and [stop|kill|end] it again",
            "the [pid|process id] of {script} as a background [job|process], [saved|written|stored] in {out} before you [kill|stop|end] it",
            "to [get|fill|produce] {out}, [start|launch] {script} in the background, [write|save] its pid there and [kill|stop] it",
            "i would like {out} to [hold|contain|show] the pid of {script} run in the background, [stop|kill|end] it [after that|afterwards]",
            "there should be a file {out} with the [pid|process id] of {script} as a background job that is [killed|stopped|ended] again",
            "{script} [is to be|has to be|must be] [started|run|launched] in the background, its pid [written|saved] to {out} and the process [stopped|killed]",
            "we only [need|want] the [pid|process id] of {script} in {out}, [start|launch|run] it in the background and [kill|stop] it",
            "a background run of {script}, its pid to {out}, [stop|kill|end] it [after that|afterwards]",
            "once the [pid|process id] of {script} from a background [start|run] is [saved|noted|recorded] in {out}, [kill|end|stop] it",
            "how about [starting|running|launching] {script} in the background, [saving|writing|noting] its pid in {out} and [killing|stopping] it",
            "see to it that {script} [runs|starts] in the background, that {out} [gets|holds] its pid and that it is [stopped|killed|ended]",
            "have {script} [started|launched|run] as a background process, its pid [recorded|stored] in {out} and the process [ended|stopped|killed]",
            "what i want is {out} with the process id of {script} [started|launched] in the background, [kill|end|stop] the process [afterwards|after that]",
            "as {out}, [save|record|keep] the pid you get from [starting|launching|running] {script} in the background, and [stop|kill|end] it",
            "without waiting for it, [start|launch|run] {script} [in the background|as a background job], [put|record] its pid in {out} and [end|kill] it",
            "use a background [job|process] for {script}, [drop|write|store] its process id in {out} and [get rid of|end|stop] the [job|process]",
            "between [starting|launching] {script} in the background and [killing|stopping|ending] it, [write|save|record] its [pid|process id] in {out}",
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
