"""Builds the search of reading; pyproject.toml describes the rest."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "holmdel.reading._search",
            sources=["../src/holmdel/reading/native/search.cpp"],
            extra_compile_args=["-std=c++17", "-O2", "-g0", "-fvisibility=hidden"],
            language="c++",
            optional=True,
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
