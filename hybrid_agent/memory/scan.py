"""What may not become a memory unseen: secrets are cut out; orders to a reader and destructive content are held back.

A memory is read by later episodes, so a text that a web page, a file or a tool planted once would speak again and
again. The patterns are a first line only: whatever passes still waits in quarantine for a replay test or a person, and
what a skill does is judged by the gate each time it does it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from hybrid_agent.memory.records import Scanned
from hybrid_agent.types import ToolCall, Verdict

_ANY = re.IGNORECASE | re.DOTALL
_INJECTION: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "asks to set earlier instructions aside",
        re.compile(
            r"\b(?:ignor\w*|disregard\w*|forget\w*|overrid\w*|bypass\w*|set aside|drop|stop following)\b.{0,40}"
            r"\b(?:previous|prior|earlier|above|preceding|all|any|your|system|safety|the)\b.{0,30}"
            r"\b(?:instructions?|prompts?|rules?|guidelines?|polic(?:y|ies)|directives?|messages?|context|checks?)\b",
            _ANY,
        ),
    ),
    (
        "speaks as the system or in another role",
        re.compile(
            r"^\s*(?:###?\s*)?(?:system|assistant|developer|tool)\s*(?:prompt|message)?\s*:|<\|?(?:im_start|im_end|system|"
            r"endoftext|assistant|user)\b|\[/?INST\]|</?(?:system|instructions?)>|\byou are now\b|\bfrom now on,? you\b"
            r"|\bnew (?:instructions?|directives?)\b|\bact as (?:an? )?(?:unrestricted|root|admin\w*|different)\b",
            re.IGNORECASE | re.MULTILINE,
        ),
    ),
    (
        "asks to hide or to go around the gate",
        re.compile(
            r"\b(?:do not|don't|never|without)\b.{0,20}\b(?:tell|ask|inform|mention|notify|warn|approv\w+"
            r"|verif\w+|show)(?:ing)?\b|\b(?:disable|turn off|skip|circumvent|evade|bypass)\b.{0,30}"
            r"\b(?:sandbox|gate|approval|scan\w*|check|verif\w+|seccomp|safety|polic\w+|veto|filter|log\w*|audit\w*)",
            _ANY,
        ),
    ),
    (
        "asks to send something out",
        re.compile(
            r"\b(?:send|post|upload|exfiltrat\w*|leak|forward|e?mail|copy|transmit|report)\b.{0,60}"
            r"(?:https?://|ftp://|\bto\b.{0,20}@|\bwebhook\b|\b\d{1,3}(?:\.\d{1,3}){3}\b|\bserver\b|\battacker\b)",
            _ANY,
        ),
    ),
    (
        "asks for secrets",
        re.compile(
            r"(?:~|\$home|/root|/home/\S+)?/?\.(?:ssh|aws|gnupg|netrc|docker/config|kube)\b"
            r"|/etc/(?:shadow|passwd|sudoers)\b|\b(?:cat|read|print|show|reveal|dump|steal|collect)\b.{0,40}"
            r"\b(?:password|passwd|secret|credential|private key|api[ _-]?key|token|environment variable|printenv)s?\b",
            _ANY,
        ),
    ),
    (
        "fetches something to run",
        re.compile(
            r"\b(?:curl|wget|fetch)\b[^|;\n]*[|;]\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\beval\s*[\"(`$]|\bbase64\b.{0,20}-d",
            _ANY,
        ),
    ),
)
_ENCODED = re.compile(r"[A-Za-z0-9+/]{120,}={0,2}|(?:\\x[0-9a-f]{2}){16,}|(?:%[0-9a-f]{2}){16,}", re.IGNORECASE)
_COMMAND = re.compile(
    r"(?:^|[`$>;&|:(\"']|\b(?:run|runs|use|execute|type|do|then|with|just|first|always|and|by|is|try)\b)\s*"
    r"((?:sudo\s+)?(?:rm|dd|mkfs\S*|shred|truncate|chmod|chown|git|find|mv|kill|killall|pkill|shutdown|reboot|curl|wget|nc"
    r"|docker|psql|mysql|sqlite3|crontab|systemctl|apt|pip|npm|python3?|bash|sh|perl|tee|wipefs|fdisk|iptables)\s[^`\n]{1,300})",
    re.IGNORECASE | re.MULTILINE,
)
_HIDDEN = ("Cf", "Co", "Cn")
_ALLOWED_CONTROL = "\n\t\r"


class Scanner:
    """Looks at a text, and at the calls of a skill, before they are kept.

    Args:
        redact: cuts secrets out of a text.
        judge: the gate's rules on a call, without a workspace.
        judge_shell: the gate's rules on a shell command.
    """

    def __init__(
        self,
        redact: Callable[[str], str],
        judge: Callable[[ToolCall], Verdict],
        judge_shell: Callable[[str], Verdict],
    ) -> None:
        self._redact, self._judge, self._judge_shell = redact, judge, judge_shell

    def __call__(self, text: str, calls: Sequence[ToolCall] = ()) -> Scanned:
        """The text without secrets, and what holds it back."""
        cut = self._redact(text)
        problems = dict.fromkeys([*self._in_text(cut, commands=not calls), *self._in_calls(calls)])
        return Scanned(text=cut, secrets=cut != text, problems=tuple(problems))

    def _in_text(self, text: str, commands: bool) -> Iterator[str]:
        # Letters that only look like Latin ones, ligatures and full-width forms must not hide a word.
        plain = unicodedata.normalize("NFKC", text)
        if any(
            unicodedata.category(c) in _HIDDEN or (unicodedata.category(c) == "Cc" and c not in _ALLOWED_CONTROL)
            for c in text
        ):
            yield "hidden: holds characters that cannot be seen"
            plain = "".join(c for c in plain if unicodedata.category(c) not in _HIDDEN)
        if _mixed_scripts(plain):
            yield "hidden: mixes alphabets within a word"
        for name, pattern in _INJECTION:
            if pattern.search(plain):
                yield f"injection: {name}"
        if _ENCODED.search(plain):
            yield "hidden: holds a long encoded block"
        if commands:  # of a skill the calls themselves are judged
            for found in _COMMAND.finditer(plain):
                yield from self._said(found[1], self._judge_shell(found[1]))

    def _in_calls(self, calls: Sequence[ToolCall]) -> Iterator[str]:
        for call in calls:
            yield from self._said(call.tool, self._judge(call))

    def _said(self, what: str, verdict: Verdict) -> Iterator[str]:
        if verdict.destructive:
            yield f"destructive: {verdict.rule}"
        elif not verdict.allow and verdict.rule not in ("shell.syntax", "schema"):
            yield f"forbidden: {verdict.rule}"
        elif verdict.rule == "schema":
            yield f"invalid: {what}: {verdict.reason[:120]}"


def _mixed_scripts(text: str) -> bool:
    for word in re.findall(r"[^\W\d_]{3,}", text):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in word}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
            return True
    return False
