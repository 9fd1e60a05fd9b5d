"""Variables, in scopes within scopes."""

from calcu.errors import EvalError


class Scope:
    """Names and values; what is not found here is looked up in the parent."""

    def __init__(self, values=None, parent=None):
        self._values = dict(values or {})
        self.parent = parent

    def get(self, name):
        """The value of a name.

        Raises:
            EvalError: it is not known.
        """
        scope = self
        while scope is not None:
            if name in scope._values:
                return scope._values[name]
            scope = scope.parent
        raise EvalError(f"unknown name {name!r}")

    def set(self, name, value):
        """Set a name where it is defined, else here."""
        scope = self
        while scope is not None:
            if name in scope._values:
                scope._values[name] = value
                return
            scope = scope.parent
        self._values[name] = value

    def define(self, name, value):
        """Set a name in this scope, whatever outer scopes hold."""
        self._values[name] = value

    def child(self, values=None):
        """A scope within this one."""
        return Scope(values, self)

    def names(self):
        """All names that can be seen from here, sorted."""
        found = set(self._values)
        if self.parent is not None:
            found.update(self.parent.names())
        return sorted(found)
