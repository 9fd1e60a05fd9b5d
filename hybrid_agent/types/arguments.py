"""Kinds of text in calls and checks.

Fields marked x-span are copied from the goal or the observed state (see hybrid_agent.constrain).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

PathArg = Annotated[str, Field(min_length=1, max_length=400, json_schema_extra={"x-span": "path"})]
WordArg = Annotated[str, Field(max_length=400, json_schema_extra={"x-span": "word"})]
TextArg = Annotated[str, Field(max_length=20000, json_schema_extra={"x-span": "text"})]
LineArg = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"x-span": "line"})]
ShellArg = Annotated[str, Field(min_length=1, max_length=4000, json_schema_extra={"x-span": "shell"})]
CodeArg = Annotated[str, Field(max_length=20000, json_schema_extra={"x-span": "code"})]
ClauseArg = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra={"x-span": "clause"})]
ModeArg = Annotated[str, Field(pattern=r"^[0-7]{3,4}$", json_schema_extra={"x-span": "word"})]
