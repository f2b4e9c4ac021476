"""Builds the native engine: one library an instruction set, of the same source.

The fastest that the processor has is chosen at run time. Where a compiler is missing, or does not
know the instructions, that library is left out and the installation succeeds. The rest of the
package is described in pyproject.toml.
"""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/holmdel/engine/native")
FLAGS = ["-std=c++17", "-O3", "-g0", "-ffp-contract=fast", "-fno-math-errno", "-fvisibility=hidden"]
INSTRUCTIONS = {
    "portable": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-march=skylake-avx512", "-mprefer-vector-width=512"],
}

setup(
    ext_modules=[
        Extension(
            f"holmdel.engine._{name}",
            sources=[str(NATIVE / "engine.cpp")],
            depends=sorted(map(str, NATIVE.glob("*.h"))),
            extra_compile_args=FLAGS + flags,
            language="c++",
            optional=True,
            py_limited_api=True,  # it holds nothing of Python: one file for every version
        )
        for name, flags in INSTRUCTIONS.items()
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
