"""Builds the engine and the search of reading, as Holmdel's own setup.py does.

pyproject.toml describes the rest.
"""

import runpy
from pathlib import Path

from setuptools import setup

HOLMDEL = runpy.run_path(str(Path(__file__).parents[1] / "setup.py"))

setup(
    ext_modules=HOLMDEL["extensions"]("../"),
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
