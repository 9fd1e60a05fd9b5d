"""Small jobs in a git repository of the scene's own: commit, branch, history, undo."""

from __future__ import annotations

from hybrid_agent.packs.draw import Draw
from hybrid_agent.packs.family import Intent, Scene, name, text
from hybrid_agent.types import CommandCheck, EqualsCheck, ExistsCheck, SetupItem
from task_packs.os.calls import shell
from task_packs.os.data import file, folder

INIT = "git init -q -b main && git config user.name dev && git config user.email dev@localhost"
COMMIT = "git add -A && git commit -qm '{}'"
VERBS = ("add", "update", "fix", "improve", "remove", "rename", "document", "rework", "test")


def _message(draw: Draw) -> str:
    return f"{draw.choice(VERBS)} {draw.phrase(1, 3)}"


def _repo(draw: Draw, commits: int = 1) -> tuple[str, list[str], list[str], list[SetupItem]]:
    """(folder, file names, commit messages oldest first, setup); every commit adds a file."""
    repo = draw.dir()
    names = [draw.file("py", "md", "txt", "sh") for _ in range(commits + 1)]
    messages = [_message(draw) for _ in range(commits)]
    setup = [folder(repo), SetupItem(path=repo, run=INIT), file(f"{repo}/{names[0]}", draw.lines(2, 5))]
    for message, each in zip(messages, names[1:], strict=True):
        setup += [file(f"{repo}/{each}", draw.lines(1, 3)), SetupItem(path=repo, run=COMMIT.format(message))]
    return repo, names, messages, setup


def _commit(draw: Draw) -> Scene:
    repo, names, messages, setup = _repo(draw)
    message = _message(draw)
    while message in messages:
        message = _message(draw)
    setup += [file(f"{repo}/{draw.choice(names)}", draw.lines(6, 9)), file(f"{repo}/{draw.file()}", draw.lines(1, 3))]
    return Scene(
        slots={"repo": name(repo), "message": text(message)},
        setup=setup,
        gold=[shell(f"git -C {repo} add -A && git -C {repo} commit -qm '{message}'")],
        done=CommandCheck(cmd=f"git -C {repo} log -1 --format=%s | grep -qxF '{message}'"),
        checks=[
            CommandCheck(cmd=f"git -C {repo} log -1 --format=%s", stdout=message),
            CommandCheck(cmd=f"git -C {repo} rev-list --count HEAD", stdout="2"),
            CommandCheck(cmd=f"git -C {repo} status --porcelain | wc -l", stdout="0"),
        ],
    )


def _branch(draw: Draw) -> Scene:
    repo, _, messages, setup = _repo(draw)
    branch = f"{draw.choice(('feature', 'fix', 'topic'))}/{draw.stem()}" if draw.chance(0.4) else draw.stem()
    taken = draw.chance(0.35)
    gold = [shell(f"git -C {repo} switch -qc {branch}")]
    if taken:
        setup.append(SetupItem(path=repo, run=f"git branch {branch}"))
        gold.append(shell(f"git -C {repo} switch -q {branch}"))
    return Scene(
        slots={"repo": name(repo), "branch": name(branch)},
        setup=setup,
        gold=gold,
        done=CommandCheck(cmd=f"git -C {repo} branch --show-current | grep -qxF {branch}"),
        checks=[
            CommandCheck(cmd=f"git -C {repo} branch --show-current", stdout=branch),
            CommandCheck(cmd=f"git -C {repo} branch | wc -l", stdout="2"),
            CommandCheck(cmd=f"git -C {repo} log -1 --format=%s {branch}", stdout=messages[-1]),
        ],
    )


def _history(draw: Draw) -> Scene:
    repo, _, messages, setup = _repo(draw, commits=draw.number(2, 3))
    out = draw.file("txt", "log", "md")
    return Scene(
        slots={"repo": name(repo), "out": name(out)},
        setup=setup,
        gold=[shell(f"git -C {repo} log --format=%s > {out}")],
        done=ExistsCheck(path=out),
        checks=[EqualsCheck(path=out, text="\n".join(reversed(messages)))],
    )


def _restore(draw: Draw) -> Scene:
    repo, names, _, setup = _repo(draw)
    target, other = draw.sample(names, 2)
    before = next(item.text for item in setup if item.path == f"{repo}/{target}") or ""
    kept = draw.lines(6, 8)
    setup += [file(f"{repo}/{target}", draw.lines(6, 8)), file(f"{repo}/{other}", kept)]
    return Scene(
        slots={"repo": name(repo), "file": name(target)},
        setup=setup,
        gold=[shell(f"git -C {repo} restore {target}")],
        done=CommandCheck(cmd=f"git -C {repo} diff --quiet {target}"),
        checks=[
            EqualsCheck(path=f"{repo}/{target}", text=before),
            EqualsCheck(path=f"{repo}/{other}", text=kept),
            CommandCheck(cmd=f"git -C {repo} rev-list --count HEAD", stdout="1"),
        ],
        destructive=True,
    )


INTENTS = [
    Intent(
        family="git_repos",
        name="git_commit",
        train=(
            "[commit|record] [everything|all changes|all files|all the work] in {repo} with the message {message}",
            "in [the repo|the repository|the git repo] {repo}, [commit|record] [all changes|everything] as {message}",
            "[make|create|do] a commit in {repo} with the [message|commit message] {message}",
            "[add|stage] all files in {repo} and commit them as {message}",
            "git commit [everything|all changes] in {repo}, message {message}",
            "[save|store|check in] the [work|changes|current state] in the [git repo|repository] {repo} under "
            "the commit message {message}",
            "the [changes|open changes|new files] in {repo} [should|must|have to] be committed with the "
            "message {message}",
            "with {message} as the [message|commit message], commit [all changes|the whole state] of {repo}",
            "[check in|commit] all the [changes|new work] of the repo {repo}, [calling|naming] it {message}",
        ),
        val=(
            "stage everything in the git repository {repo} and commit it with the message {message}",
            "the commit message is {message}: record the changes in {repo}",
        ),
        held=(
            "record the current state of the repository {repo} as a commit named {message}",
            "all new work in {repo} must be committed, the message should be {message}",
            "check in everything that is in the git repo {repo} with {message} as the message",
            "store all changes of {repo} in a git commit {message}",
        ),
        build=_commit,
    ),
    Intent(
        family="git_repos",
        name="git_branch",
        train=(
            "[create|make|start|open] [the branch|a branch|a new branch] {branch} in {repo}",
            "[switch|move|change] [the repo|the repository|the git repo] {repo} to a "
            "[new branch|branch named] {branch}",
            "in {repo}, [create|start|open|make] [the git branch|a branch named|the new branch] {branch}",
            "[check out|create and check out|start] the new branch {branch} in [the repo|the repository] {repo}",
            "[work|continue|develop] in {repo} on [the branch|a new branch] {branch}",
            "[the repo|the repository] {repo} [needs|should get|should be on] a branch [called|named] {branch}",
            "put [the repo|the repository|the git repo] {repo} on [the branch|a branch called|a new branch] {branch}",
            "branch off [in|inside] {repo} [as|to|under the name] {branch}",
            "[a new branch|a git branch|a branch] {branch} is needed in {repo}, [create|make|open] it and switch to it",
        ),
        val=(
            "the git repository {repo} should be on a new branch named {branch}",
            "open {branch} as a new branch of the repo {repo}",
        ),
        held=(
            "get the repo {repo} to a new branch called {branch}",
            "branch {repo} off, naming the new branch {branch}",
            "create {branch} in the git repo {repo} and switch to that branch",
            "for the repository {repo}, start work on a branch {branch}",
        ),
        build=_branch,
    ),
    Intent(
        family="git_repos",
        name="git_history",
        train=(
            "[write|save|store|put] the [commit messages|commit history|git history] of {repo} [to|into] {out}",
            "[list|dump|export] the [commits|commit messages] of [the repo|the repository] {repo} [in|into|to] {out}",
            "[save|write|dump|export] the git log of {repo} [to|in|into] {out}",
            "[put|collect|list] [all|all the] commit messages of [the repo|the git repo] {repo} in {out}",
            "{out} [should|must] [contain|hold|list] the [commit messages|history|commits] of the repo {repo}",
            "from the [repo|repository|git repo] {repo}, [write|save|export] the "
            "[history|messages of all commits] to {out}",
            "use git log to [save|list|write] the [messages|commits|history] of {repo} in {out}",
            "[make|create] [a list|an overview] of the commits in {repo}, [saved in|written to] {out}",
        ),
        val=(
            "in {out}, list the commit messages of the git repo {repo}",
            "dump what git log shows for {repo} into {out}",
        ),
        held=(
            "collect the history of commits in the repository {repo} into {out}",
            "export every message of the git history of {repo} to {out}",
            "{out} must get the git log of the repository {repo}",
        ),
        build=_history,
    ),
    Intent(
        family="git_repos",
        name="git_restore",
        train=(
            "[discard|throw away|drop|undo] the [uncommitted changes|local changes|open changes|edits] to "
            "{file} in {repo}",
            "[restore|reset|revert] {file} in [the repo|the repository|the git repo] {repo} to "
            "[the last commit|its committed state]",
            "in [the repo|the repository] {repo}, [undo|revert|discard|drop] "
            "[the changes|the edits|every change] [to|of] {file}",
            "bring {file} in {repo} back to [the last commit|what was committed|the committed version]",
            "[use git to|let git] [restore|revert|reset] {file} in {repo}",
            "the [edits|local changes|changes] [to|in] {file} of [the repo|the repository] {repo} [should|must] be "
            "[discarded|undone|reverted|restored]",
            "git restore {file} in [the repo|the repository] {repo}",
            "get the [last committed|committed] [version|state] of {file} back in {repo}",
        ),
        val=(
            "let git undo what was changed in {file} of the repo {repo}",
            "revert the uncommitted edits of {file} in the git repo {repo}",
        ),
        held=(
            "the file {file} in the repo {repo} must be restored to its last committed version",
            "drop every uncommitted edit of {file} from the repository {repo}",
            "throw the local edits to {file} away in the git repo {repo}",
        ),
        build=_restore,
    ),
]
