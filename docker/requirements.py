"""Prints what pip must install for the images: the project's own requirements and those of the extras named."""

import sys
import tomllib
from pathlib import Path


def main() -> None:
    """`python requirements.py PYPROJECT EXTRA...`"""
    project = tomllib.loads(Path(sys.argv[1]).read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in sys.argv[2:]:
        wanted += project["optional-dependencies"][extra]
    print("\n".join(wanted))


if __name__ == "__main__":
    main()
