#!/bin/sh
# Fills docker/wheels with the wheels of the cpu image, so that its build needs no index. pip's own settings apply.
#   sh docker/wheelhouse.sh [PYTHON]
# PYTHON must be a Python 3.11, as in the image. What changed in pyproject.toml or constraints.txt is added; nothing is
# taken away (empty the folder for that).
set -eu
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
"$python" docker/requirements.py pyproject.toml serve memory > docker/wheels/requirements.txt
"$python" -m pip wheel -q -w docker/wheels -f docker/wheels -c constraints.txt -r docker/wheels/requirements.txt
