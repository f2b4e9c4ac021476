"""The page's modules as few files: each with what it imports in front, in one request."""

import posixpath
import re
from collections.abc import Iterable, Mapping

from holmdel.files.page_text import bare

_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')
_BEGIN = "const $ = (globalThis.holmdelModules ??= {});\n"


def order(sources: Mapping[str, str], first: str, known: Iterable[str] = ()) -> list[str]:
    r"""Returns a module and those it needs, each behind what it imports.

    Args:
        sources: the text of each module by its path, such as `core/api.js`.
        first: the module that is wanted.
        known: modules that are there already, with all that they import.

    >>> order({"a.js": 'import { b } from "./x/b.js";\n', "x/b.js": ""}, "a.js")
    ['x/b.js', 'a.js']
    """
    found: list[str] = []
    done = set(known)

    def visit(name: str) -> None:
        if name in done:
            return
        done.add(name)
        for _, target in _IMPORT.findall(sources[name]):
            visit(_resolved(name, target))
        found.append(name)

    visit(first)
    return found


def bundle(sources: Mapping[str, str], names: Iterable[str], public: str | None = None) -> str:
    """Returns modules as one, without their comments and the spaces that lines begin with.

    No text in them may go over the end of a line.

    Each keeps its own scope; what it exports stands in a registry that later bundles use too.
    What a module loads when it is wanted, by `import("./name.js")`, is another bundle.

    Args:
        sources: the text of each module by its path.
        names: the modules, in an order in which they can run.
        public: the one whose `mount` the bundle exports; None for no export.
    """
    parts = [_BEGIN, *(_wrapped(name, sources[name]) for name in names)]
    if public:
        parts.append(f'export const {{ mount }} = $["{public}"];\n')
    return "".join(parts)


def _wrapped(name: str, text: str) -> str:
    text = _LATER.sub(lambda found: _awaited(name, found), bare(text))
    body = _IMPORT.sub(lambda found: _taken(name, found), text)
    exports = ", ".join(_EXPORT.findall(body))
    return f'$["{name}"] = (() => {{\n{_EXPORT.sub("", body)}return {{ {exports} }};\n}})();\n'


def _taken(name: str, found: re.Match[str]) -> str:
    """Returns what stands in the place of an import."""
    names = (found[1] or "").replace(" as ", ": ")
    return f'const {{{names}}} = $["{_resolved(name, found[2])}"];\n' if names else ""


def _awaited(name: str, found: re.Match[str]) -> str:
    """Returns what stands in the place of an import of what is loaded when it is wanted."""
    target = _resolved(name, found[1])
    return f'import("/page/{posixpath.basename(target)}").then(() => $["{target}"])'


def _resolved(name: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
