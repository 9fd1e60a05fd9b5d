"""Crontab files: add a job with a written schedule or a plain word for it, remove a job."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, plain, text
from hybrid_agent.types import ContainsCheck, EqualsCheck, LacksCheck
from task_packs.os.calls import edit
from task_packs.os.data import file
from task_packs.os.steps import at, place

EVERY = {
    "@hourly": ("hourly", "every hour", "once an hour"),
    "@daily": ("daily", "every day", "once a day"),
    "@weekly": ("weekly", "every week", "once a week"),
    "@monthly": ("monthly", "every month", "once a month"),
    "@reboot": ("at boot", "at every boot", "after a reboot"),
}


def _schedule(draw: Draw) -> str:
    minute, hour = draw.number(0, 59), draw.number(0, 23)
    return draw.choice(
        (
            f"{minute} {hour} * * *",
            f"*/{draw.choice((5, 10, 15, 20, 30))} * * * *",
            f"{minute} * * * *",
            f"{minute} {hour} * * {draw.number(0, 6)}",
            f"{minute} {hour} {draw.number(1, 28)} * *",
        )
    )


def _command(draw: Draw) -> str:
    return draw.choice((f"bin/{draw.stem()}.sh", f"{draw.stem()}.sh", f"/opt/{draw.stem()}/run"))


def _crontab(draw: Draw) -> list[str]:
    jobs = [f"{_schedule(draw)} {_command(draw)}" for _ in range(draw.number(2, 4))]
    return [f"# {draw.phrase(2, 4)}", *jobs]


def _append(draw: Draw, timing: str, slots: dict[str, str]) -> Scene:
    lines, where, command = _crontab(draw), place(draw, "cron", "crontab", "tab"), _command(draw)
    line = f"{timing} {command}"
    return Scene(
        slots={
            "file": name(where.said),
            "cmd": name(command),
            **{key: plain(value) if key == "when" else text(value) for key, value in slots.items()},
        },
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: edit(path, "append", text=line)),
        done=ContainsCheck(path=where.real, text=line),
        checks=[EqualsCheck(path=where.real, text="\n".join([*lines, line]))],
    )


def _add(draw: Draw) -> Scene:
    schedule = _schedule(draw)
    return _append(draw, schedule, {"schedule": schedule})


def _every(draw: Draw) -> Scene:
    timing = draw.choice(list(EVERY))
    return _append(draw, timing, {"when": draw.choice(EVERY[timing])})


def _remove(draw: Draw) -> Scene:
    lines, where = _crontab(draw), place(draw, "cron", "crontab", "tab")
    index = draw.number(1, len(lines) - 1)
    command = lines[index].split()[-1]
    kept = [line for line in lines if command not in line]
    return Scene(
        slots={"file": name(where.said), "cmd": name(command)},
        setup=[file(where.real, "\n".join(lines) + "\n")],
        gold=at(where, lambda path: edit(path, "delete", find=command)),
        done=LacksCheck(path=where.real, text=command),
        checks=[EqualsCheck(path=where.real, text="\n".join(kept))],
    )


INTENTS = [
    Intent(
        family="crontabs",
        name="cron_add",
        train=(
            "[add|append|write] [a cron job|a job|an entry] to {file} that runs {cmd} at {schedule}",
            "in the crontab {file}, [schedule|run|add|plan] {cmd} [at|for|with the schedule] {schedule}",
            "[schedule|plan] {cmd} in [the crontab|the cron file|] {file} [at|as|with] {schedule}",
            "the crontab {file} [should|must|has to] [run|start|call] {cmd} [at|on the schedule] {schedule}",
            "[let|make|have] [cron|the crontab] {file} [run|start] {cmd} with the schedule {schedule}",
            "add the cron [line|entry|job] {schedule} for {cmd} to {file}",
            "[put|write|append] {cmd} [in|into] the [crontab|cron file] {file} with the cron "
            "[schedule|time] {schedule}",
            "[a new job|a cron job] {cmd} with the [schedule|cron time] {schedule} [should|must] be "
            "[added to|put in] {file}",
            "[i need|we need] a [cron job|cron line|scheduled job] in {file} that [runs|starts|launches] {cmd} at {schedule}",
            "into {file}, [put|write|place] a cron [line|entry] with {schedule} [for|that runs] {cmd}",
            "{file}: [add|append] a [job|line|cron entry] {schedule} [running|starting|for] {cmd}",
            "to [run|start|launch] {cmd} at {schedule}, [add|append] a [line|job|cron entry] to {file}",
            "i would like the crontab {file} to [launch|start|run|execute] {cmd} on the [schedule|cron schedule] {schedule}",
            "there should be [a cron job|an entry|a line] in {file} for {cmd}, [timed|scheduled] at {schedule}",
            "{cmd} [has to be|is to be|must be] [scheduled|entered] in the [crontab|cron table] {file} [with|at] {schedule}",
            "{cmd} is [missing from|not yet in] the crontab {file}, [enter|add|append] it with the [times|schedule|cron fields] {schedule}",
            "{cmd} at {schedule}, a new [job|line|entry] [in|for] the crontab {file}",
            "with the cron [schedule|expression|time] {schedule}, [enter|add|register] {cmd} in {file}",
            "take the schedule {schedule}, [put|write] {cmd} [behind|after] it and [append|add] the line to {file}",
            "how about [adding|appending] a cron job for {cmd} [with the times|at] {schedule} to {file}",
            "see to it that {file} [gets|has] a cron [line|entry|job] [starting|running|launching] {cmd} at {schedule}",
            "have the cron [table|file] {file} [execute|launch|start] {cmd} at {schedule}",
            "what i want is {cmd} [scheduled|planned|set up] at {schedule} in the [crontab|cron file] {file}",
            "at {schedule}, the [crontab|cron file] {file} should [execute|launch|run] {cmd}, [add|insert|create] the [job|line|entry]",
            "as a new line of the crontab {file}, [write|enter|record] {schedule} for {cmd}",
            "create a [scheduled job|cron entry|timed job] in {file}, its [time|schedule] is {schedule} and its [command|program] is {cmd}",
        ),
        val=(
            "have the cron file {file} start {cmd} on the schedule {schedule}",
            "plan the job {cmd} with the cron time {schedule} in {file}",
        ),
        held=(
            "with the schedule {schedule}, the cron job {cmd} should be added to {file}",
            "append to the crontab {file} a job that calls {cmd} at {schedule}",
            "{cmd} must run at {schedule}, write the cron entry to {file}",
        ),
        build=_add,
    ),
    Intent(
        family="crontabs",
        name="cron_every",
        train=(
            "[add|append|write] [a cron job|a job|an entry] to {file} that runs {cmd} {when}",
            "[run|schedule|start|call] {cmd} {when} in the [crontab|cron file] {file}",
            "in the crontab {file}, [schedule|run|plan] {cmd} {when}",
            "the crontab {file} [should|must|has to] [run|start|call] {cmd} {when}",
            "[let|make|have] the [cron file|crontab] {file} [run|start] {cmd} {when}",
            "{cmd} [should|must|has to] [run|be started|be called] {when}, [add|write] [it|a job] to the "
            "crontab {file}",
            "[put|plan] a cron job in {file} to [run|start|call] {cmd} {when}",
            "{when}, the crontab {file} [should|must|has to] [run|start|call] {cmd}",
            "[i need|we need] a [cron job|scheduled job|cron line] in {file} that [executes|launches|starts] {cmd} {when}",
            "into the [crontab|cron file] {file}, [put|write|insert] a [job|line|entry] [running|starting|launching] {cmd} {when}",
            "{file}: [add|create|append] a cron [job|line|entry] to [run|launch|execute] {cmd} {when}",
            "to [have|get] {cmd} [executed|started|launched] {when}, [add|append] a [line|job|cron entry] to {file}",
            "i would like {cmd} to [run|be executed|be launched] {when}, [put|enter|write] [that|this] in the crontab {file}",
            "there should be [a cron job|an entry|a line] in the crontab {file} [launching|starting|running] {cmd} {when}",
            "a job that [runs|starts|launches] {cmd} {when} [has to be|is to be] [added|appended] to the cron file {file}",
            "nothing [starts|runs|launches] {cmd} {when} yet, [create|add|set up] a cron job for that in {file}",
            "{cmd} {when}, as a new [line|entry] [in|of] the crontab {file}",
            "with a [new|further|fresh] [line|entry] in the crontab {file}, [start|execute|launch] {cmd} {when}",
            "take the crontab {file}, [add|append] {cmd} to it and [let|make] it run {when}",
            "how about [running|starting|launching] {cmd} {when} [from|through|with] the cron file {file}",
            "see to it that {cmd} is [started|run|launched|called] {when} by the crontab {file}",
            "have cron [run|execute|start] {cmd} {when}, the [job|entry|line] [belongs|goes] in {file}",
            "what i want is {cmd} [running|executed|started] {when}, [arranged|scheduled] in the [crontab|cron table] {file}",
            "set up the [crontab|cron file] {file} so that it [executes|calls|launches] {cmd} {when}",
            "my script {cmd} is to [run|start] {when}, [register|record|enter] it in the crontab {file}",
            "{when}, {cmd} [is to be|needs to be] [launched|executed|run] by the [cron file|crontab] {file}",
        ),
        val=(
            "plan {cmd} {when} in the cron file {file}",
            "a job that calls {cmd} {when} must be in the crontab {file}",
        ),
        held=(
            "have {cmd} started {when} by the cron file {file}",
            "append a cron entry to {file} so that {cmd} is called {when}",
            "the cron file {file} has to call {cmd} {when}, write the job",
        ),
        build=_every,
    ),
    Intent(
        family="crontabs",
        name="cron_remove",
        train=(
            "[remove|delete|drop] the [cron job|job|entry] [that runs|for|running] {cmd} from {file}",
            "[unschedule|stop scheduling] {cmd} in [the crontab|the cron file|] {file}",
            "in the crontab {file}, [remove|delete|drop|get rid of] the [job|entry|line] [for|that runs] {cmd}",
            "the crontab {file} [should|must] [no longer|not] [run|start|call] {cmd}",
            "[take|throw|cut] the [job|cron job|entry] {cmd} out of the [crontab|cron file] {file}",
            "[cancel|drop|stop] the [cron job|scheduled job|job] {cmd} in {file}",
            "the [cron job|job] {cmd} is not needed any more, [remove|delete|cancel] it from {file}",
            "[clean|edit|change] the [crontab|cron file] {file} so that {cmd} is [gone|no longer run]",
            "[i need|we need] the crontab {file} without the [job|line|entry] for {cmd}",
            "from the [crontab|cron file] {file}, [erase|delete|take out] the [line|job|entry] [with|running] {cmd}",
            "{file}: [remove|erase|drop] the cron [job|line|entry] that [calls|starts|runs] {cmd}",
            "to [stop|end] the [regular|scheduled] runs of {cmd}, [delete|remove|erase] its [line|entry|job] from {file}",
            "i would like {cmd} to [disappear|vanish|be removed] from the [cron table|crontab|cron file] {file}",
            "there should be no [job|line|entry] for {cmd} [left|any more] in the crontab {file}",
            "the [line|entry|job] [for|with|running] {cmd} [has to be|is to be|must be] [deleted|erased|removed] from the crontab {file}",
            "{cmd} is [obsolete|out of use|no longer wanted], [erase|drop|discard] its cron [job|line|entry] in {file}",
            "no more {cmd} in the [crontab|cron file|cron table] {file}",
            "without the [job|line|entry] for {cmd}, the crontab {file} is [right|fine|complete], so [drop|remove|discard] that one",
            "take the crontab {file}, [look for|find] the [line|job] [that starts|with] {cmd} and [delete|erase|remove] it",
            "how about [dropping|removing|deleting] {cmd} from the scheduled [jobs|commands] in {file}",
            "see to it that the crontab {file} [stops|quits] [running|calling|starting] {cmd}",
            "have the [scheduled job|cron job|cron entry] for {cmd} [removed|deleted|erased|thrown out] from {file}",
            "what i want is that cron [no longer starts|never again runs|stops calling] {cmd}, so [clear|wipe|remove] it from {file}",
            "nobody [needs|wants] {cmd} to run any more, [clear|erase|delete] its [job|line] in the crontab {file}",
            "get rid of the [scheduled|planned|cron] [job|task] {cmd} in the cron file {file}",
            "whatever [runs|starts|calls] {cmd} in the crontab {file} [can go|must go|should go]",
        ),
        val=(
            "the cron file {file} should not start the job {cmd} any more",
            "cancel the entry for {cmd} in the crontab {file}",
        ),
        held=(
            "stop running {cmd} in the crontab {file}, delete the job",
            "{cmd} must no longer be scheduled in the cron file {file}",
            "get rid of the cron job that calls {cmd} in {file}",
        ),
        build=_remove,
    ),
]
