"""Arguments of the form `name=value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybrid_agent.errors import InputError


def read_words(words: Sequence[str], known: Mapping[str, int | str]) -> tuple[dict[str, int | str], list[str]]:
    """The known names with their values (those not given as in `known`), and the words that have other names.

    Raises:
        InputError: a number is none, or a word has no `=`.
    """
    found, rest = dict(known), []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"not an argument: {word!r}", fix="write name=value, for example sessions=64")
        if name not in known:
            rest.append(word)
        elif isinstance(known[name], str):
            found[name] = value
        elif value.isdecimal():
            found[name] = int(value)
        else:
            raise InputError(f"not a number: {value!r}", field=name)
    return found, rest
