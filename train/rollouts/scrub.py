"""Secrets and personal data are cut out of all that rollouts store."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from hybrid_agent.tools.redact import redact
from hybrid_agent.types import Record

R = TypeVar("R", bound=Record)

NOBODY = "user@example.com"
# Not the units of services (`getty@tty1.service`) and not the reserved names of examples.
_MAIL = re.compile(
    r"\b[A-Za-z0-9._%+-]+@(?!example\.)[A-Za-z0-9.-]+\.(?!service\b|socket\b|timer\b|target\b)[A-Za-z]{2,}\b"
)
_HOME = re.compile(r"(?P<root>/(?:home|Users)/)(?!user\b|agent\b)[A-Za-z0-9_][\w.-]*")


def scrub(text: str) -> str:
    """The text without secrets, e-mail addresses and names of home folders."""
    return _HOME.sub(r"\g<root>user", _MAIL.sub(NOBODY, redact(text)))


def scrub_call(text: str) -> str:
    """A call's JSON with each of its texts scrubbed, so that it stays JSON; any other text as it is scrubbed whole."""
    if scrub(text) == text and not re.search(r"\\[nrtu\"]", text):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return scrub(text)
    clean = _scrubbed(value)
    return text if clean == value else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))


def scrub_record(record: R) -> R:
    """A record with every text in it scrubbed (calls stay valid JSON)."""
    data = record.model_dump(mode="json", exclude_defaults=True)
    clean = _scrubbed(data)
    return record if clean == data else type(record).model_validate_json(json.dumps(clean))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()
        return scrub_call(text) if text.startswith('{"') else scrub(text)
    if isinstance(value, dict):
        return {key: _scrubbed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_scrubbed(part) for part in value]
    return value
