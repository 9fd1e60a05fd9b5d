"""What can be wrong with settings."""


class ConfigError(Exception):
    """A setting is wrong; `path` says which."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
