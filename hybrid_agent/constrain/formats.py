"""`format` values that can be enforced: each maps to an expression whose every match is valid.

llguidance has expressions of its own, but some let invalid values through (29 February of any
year, a leap second at any time, host names of any length), so they are not used.
"""

from __future__ import annotations

# The year 0000 is left out: Python's datetime (and so most checkers) starts at year 1.
_YEAR = "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_DATE = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    f"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|(?:[0-9]{{2}}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_H16 = "[0-9a-fA-F]{1,4}"
_LABEL = "[a-zA-Z](?:[a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?"
_IPV6 = "|".join(
    [f"(?:{_H16}:){{7}}{_H16}"]
    + [f"(?:{_H16}(?::{_H16}){{0,{left}}})?::(?:{_H16}(?::{_H16}){{0,{5 - left}}})?" for left in range(6)]
)

FORMATS: dict[str, str] = {
    "date": f"^{_DATE}$",
    "time": f"^{_TIME}$",
    "date-time": f"^{_DATE}T{_TIME}$",
    "uuid": "^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "ipv4": rf"^(?:{_BYTE}\.){{3}}{_BYTE}$",
    "ipv6": f"^(?:{_IPV6})$",
    "hostname": rf"^{_LABEL}(?:\.{_LABEL}){{0,8}}$",
    "email": rf"^[a-zA-Z0-9_]+(?:[.+-][a-zA-Z0-9_]+){{0,5}}@{_LABEL}(?:\.{_LABEL}){{0,8}}$",
}
