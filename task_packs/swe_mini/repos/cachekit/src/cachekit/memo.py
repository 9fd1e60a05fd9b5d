"""Decorator that remembers results."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cachekit.lru import LRUCache

_MARK = object()


def make_key(args: tuple[Any, ...], kwargs: dict[str, Any], typed: bool = False) -> tuple[Any, ...]:
    """A key that is equal for equal calls; the order of keyword arguments does not matter."""
    key: tuple[Any, ...] = args
    if kwargs:
        key += (_MARK, *sorted(kwargs.items()))
    if typed:
        key += (_MARK, *(type(value) for value in args))
        key += tuple(type(value) for _, value in sorted(kwargs.items()))
    return key


def memoize(
    capacity: int = 128, *, typed: bool = False, ignore: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Remember the results of a function.

    Args:
        capacity: calls that are remembered.
        typed: 1 and 1.0 are different arguments.
        ignore: keyword arguments that do not change the result.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        cache = LRUCache(capacity)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            counted = {name: value for name, value in kwargs.items() if name not in ignore}
            key = make_key(args, counted, typed)
            return cache.get_or_make(key, lambda: function(*args, **kwargs))

        def forget(*args: Any, **kwargs: Any) -> None:
            counted = {name: value for name, value in kwargs.items() if name not in ignore}
            cache.pop(make_key(args, counted, typed))

        wrapper.cache = cache  # type: ignore[attr-defined]
        wrapper.forget = forget  # type: ignore[attr-defined]
        return wrapper

    return decorate
