"""Builds the native engine and the text of the index page; pyproject.toml describes the rest.

The engine is one library per instruction set, all of the same source; the fastest that the
processor has is chosen at run time. Where a compiler is missing, or does not know the
instructions, that library is left out and the installation succeeds.
"""

import re
import tomllib
from pathlib import Path

from setuptools import Extension, setup

FLAGS = ["-std=c++17", "-O3", "-g0", "-ffp-contract=fast", "-fno-math-errno", "-fvisibility=hidden"]
INSTRUCTIONS = {
    "portable": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-march=skylake-avx512", "-mprefer-vector-width=512"],
}

SEARCH_FLAGS = ["-std=c++17", "-O2", "-g0", "-fvisibility=hidden"]


def extensions(root: str = "") -> list[Extension]:
    """Returns what is compiled: the engine for each instruction set, and the reader's search.

    None holds anything of Python: one file for every version.

    Args:
        root: the way from here to the repository, with its slash.
    """
    engine, search = f"{root}src/holmdel/engine/native", f"{root}src/holmdel/reading/native"
    built = [
        Extension(
            f"holmdel.engine._{name}",
            sources=[f"{engine}/engine.cpp"],
            depends=sorted(map(str, Path(engine).glob("*.h"))),
            extra_compile_args=FLAGS + flags,
            language="c++",
            optional=True,
            py_limited_api=True,
        )
        for name, flags in INSTRUCTIONS.items()
    ]
    reading = Extension(
        "holmdel.reading._search",
        sources=[f"{search}/search.cpp"],
        extra_compile_args=SEARCH_FLAGS,
        language="c++",
        optional=True,
        py_limited_api=True,
    )
    return [*built, reading]


LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)\s]+)\)")


def index_page(readme: str, repository: str | None) -> str:
    """Returns README.md as an index page can show it, where no file lies beside it.

    Args:
        readme: Markdown with links relative to the repository.
        repository: its address; if None, an image is left out and a link becomes its text.
    """

    def absolute(link: re.Match[str]) -> str:
        image, text, path = link.groups()
        if repository is None:
            return "" if image else text
        return f"{image}[{text}]({repository}/{'raw' if image else 'blob'}/main/{path})"

    return LINK.sub(absolute, readme)


if __name__ == "__main__":
    URLS = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]

    setup(
        long_description=index_page(
            Path("README.md").read_text(encoding="utf-8"), URLS.get("Repository")
        ),
        long_description_content_type="text/markdown",
        ext_modules=extensions(),
        options={"bdist_wheel": {"py_limited_api": "cp311"}},
    )
