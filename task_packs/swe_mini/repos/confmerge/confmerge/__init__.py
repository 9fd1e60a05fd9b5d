"""Settings in layers."""

from confmerge.changes import Change, changes
from confmerge.config import Config
from confmerge.env import from_environment
from confmerge.errors import ConfigError
from confmerge.ini import parse_ini
from confmerge.merge import merge
from confmerge.references import resolve
from confmerge.schema import Field, check

__all__ = [
    "Change",
    "Config",
    "ConfigError",
    "Field",
    "changes",
    "check",
    "from_environment",
    "merge",
    "parse_ini",
    "resolve",
]
