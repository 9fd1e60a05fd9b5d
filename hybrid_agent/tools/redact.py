"""Secrets are cut out of everything a tool returns, before it is shown or stored."""

from __future__ import annotations

import re
from collections.abc import Callable

MARK = "[secret]"

_WHOLE = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|\bsk-(?:ant-|proj-|live-)?[A-Za-z0-9_-]{20,}"
    r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|\bAIza[0-9A-Za-z_-]{35}"
    r"|\bhf_[A-Za-z0-9]{30,}\b|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{40,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?P<name>\b[A-Za-z0-9_.-]*(?:passwd|password|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credential)[A-Za-z0-9_]{0,24}[\"']?\s*(?:=|:(?!//))\s*)(?P<mark>[\"']?)(?P<value>[^\s\"',;]{8,})(?P=mark)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<name>\b(?:Bearer|Basic)\s+)(?P<value>[A-Za-z0-9+/._~-]{16,}=*)", re.IGNORECASE)
_URL = re.compile(r"(?P<name>\b[a-z][a-z0-9+.-]*://[^\s:/@]+:)(?P<value>[^\s:/@]{3,})(?=@)", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with keys, tokens, private keys and values of secret-looking names replaced by a mark."""
    text = _WHOLE.sub(MARK, text)
    text = _NAMED.sub(_named, text)
    hide: Callable[[re.Match[str]], str] = lambda found: found["name"] + MARK  # noqa: E731
    return _URL.sub(hide, _BEARER.sub(hide, text))


def _named(found: re.Match[str]) -> str:
    """Only values that look made by a machine: letters with digits, or long; `token = parse(x)` stays readable."""
    value = found["value"]
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    if not mixed or re.search(r"[(){}\[\]<>$]", value):
        return found[0]
    return found["name"] + found["mark"] + MARK + found["mark"]
