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
            "{repo}: commit [everything|all edits|whatever changed] with the [message|text|title] {message}",
            "to [save|keep|preserve] the [work|edits|changes] in {repo}, [make|create|add] a commit titled {message}",
            "i would like [all changes|everything new|the current work] in {repo} committed [under|with] the message {message}",
            "there should be a [new|fresh] commit in {repo} [called|titled|that says] {message}",
            "make sure that [everything|all the work|every change] in {repo} [is|gets] committed, the message is {message}",
            "all [modified and new files|pending changes|work] of the repository {repo} are to be committed as {message}",
            "commit message {message}, [all files|all changes|everything] in {repo}",
            "take [all the edits|whatever has changed|everything new] in {repo}, stage it and commit it with {message} as the [message|title]",
            "how about a commit of [all changes|everything|the whole work] in {repo} with the text {message}",
            "let's [commit|check in] what we have in the git repo {repo}, [message|title]: {message}",
            "see to it that the [changes|edits|current state] in {repo} [get|are] committed with {message} as [message|description]",
            "have git [commit|record] [every change|all files|the whole work tree] of {repo} under the title {message}",
            "what i want in {repo} is one commit of [everything|all changes] [named|reading|described as] {message}",
            "my work in {repo} is done, [stage|add] it all and [commit it|check it in] with the message {message}",
            "under the commit message {message}, [check in|store|record] [all files|everything that changed] in {repo}",
            "once all [changes|files] in {repo} are staged, commit them with the [text|message|note] {message}",
            "nothing in {repo} should stay uncommitted, use {message} as the [commit message|message of the commit]",
            "as the message of the next commit in {repo} [write|use|take] {message}, [include|it covers] all changes",
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
            "{repo}: [new|fresh] branch {branch}, [switch to it|check it out]",
            "to work on {branch}, [make|set up|prepare] a [branch|new branch] of that name in {repo}",
            "i would like to be on a [new|fresh] branch {branch} in the [repo|repository] {repo}",
            "there should be a new branch [called|named|titled] {branch} in {repo}, and it should be [active|checked out|the current one]",
            "make sure that {repo} is on a [new|newly made|fresh] branch {branch}",
            "a branch with the name {branch} [is to|has to|must] be [opened|created|started] in the git repo {repo}",
            "a new branch {branch} for the [repo|repository|project] {repo}",
            "take the [repo|repository] {repo}, [create|add|generate] the branch {branch} and [go|change|switch] to it",
            "how about [starting|opening|creating] a branch [called|named] {branch} in {repo}",
            "let's [move|go|switch] to a [new|brand new|fresh] branch {branch} in {repo}",
            "see to it that the repository {repo} [gets|has] a [new|fresh] branch {branch} and [uses|is on] it",
            "have git [create|make|set up] and check out {branch} as a new branch in {repo}",
            "what i want is [a separate new|a new|a fresh] branch {branch} to be checked out in {repo}",
            "my next change in {repo} needs its own branch, [call|name|title] it {branch}",
            "with git switch -c, [start|make|open] {branch} in {repo}",
            "under the name {branch}, [open|begin|create] a [new|fresh] line of development in the git repo {repo}",
            "from where {repo} is now, [branch off|start a branch|fork a new branch] called {branch}",
            "for the coming work in {repo}, [set up|create|add] the branch {branch} and [stay|continue] on it",
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
            "into {out}, [print|put|place] the [commit messages|commit titles|log] of the repository {repo}",
            "{repo}: its [git log|commit messages|history of commits] into {out}",
            "to [get|build|produce] {out}, [collect|gather|print] the messages of [every commit|all commits] in {repo}",
            "i would like {out} to [list|show|hold] what has been committed in {repo}",
            "there should be a file {out} with [the messages|the titles|one line] of each commit in {repo}",
            "make sure that {out} [lists|contains|shows] every commit message [from|of] {repo}",
            "the [history|log|past commits] of the git repo {repo} [is to|has to] be [saved|written|recorded] as text in {out}",
            "the git log of {repo} as {out}, [only the messages|just the subjects|one commit per line]",
            "take the commits of {repo}, [extract|read|pick] their messages and [drop|store|write] them in {out}",
            "how about a [list|record|text file] {out} of [all the commits|every commit message] in {repo}",
            "let's have the [commit log|commit history|list of commits] of {repo} in the [file|document] {out}",
            "see to it that the commit messages of the [repo|repository] {repo} [end up|are stored|are listed] in {out}",
            "have {out} [contain|show|report] the [log|commit log|commit titles] of the [repo|repository] {repo}",
            "what i want is to [read|see] in {out} which commits {repo} [has|contains]",
            "my boss asks what was done in {repo}, [print|export|save] its commit messages to {out}",
            "with git log, [generate|prepare|write] {out} [listing|showing] the [subjects|messages] of the commits in {repo}",
            "for the changelog, [store|save|place] the [messages|subject lines] of all commits in {repo} under {out}",
            "what has been committed to {repo} so far [should|must|is to] be [listed|shown|printed] in {out}",
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
            "{repo}: [undo|drop|throw out] my [edits|changes] in {file}",
            "in the repository {repo}, {file} is to be [restored|put back|set back] to [how it was committed|the last commit]",
            "to get rid of the [edits|local changes|uncommitted work] in {file}, [restore|reset] it [in|inside] the git repo {repo}",
            "i would like {file} in {repo} to be [as it was at|the same as in|back at] the last commit",
            "{file} in {repo} should [look|be] [as it was committed|the way it was in the last commit] again",
            "make sure that {file} in {repo} has no [uncommitted|local|open] [changes|edits] [left|any more]",
            "whatever was changed in {file} of {repo} since the last commit has to be [discarded|undone|erased]",
            "take {file} in the [repo|repository] {repo} and [throw away|get rid of|remove] [everything not committed|the uncommitted edits]",
            "how about [undoing|dropping|discarding] what i [changed|edited|did] in {file} inside {repo}",
            "let's go back to the [committed|last committed] [copy|version|text] of {file} in {repo}",
            "see to it that {file} in the git repo {repo} is [back at|reset to|restored from] the last commit",
            "have git [put back|bring back|recover] the committed [content|contents|version] of {file} in {repo}",
            "what i want is the [committed|unedited|original] {file} back in [the repo|the repository|the checkout] {repo}",
            "i broke {file} in {repo}, [restore|recover|get back] the version from the last commit",
            "my edits to {file} were a mistake, [erase|undo|clear out] them in the repository {repo}",
            "with git, [roll back|turn back|set back] {file} in {repo} to its [committed|last committed] state",
            "the working copy of {file} in {repo} is [spoiled|wrong|broken], [replace|overwrite] it with the committed one",
            "without a commit, [drop|clear|discard] the [modifications|local edits|open changes] of {file} in {repo}",
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
