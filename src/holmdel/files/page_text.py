"""The text of a page's modules and styles, made short: for the server, and for exported pages."""

import re

STYLES = (  # of the page and its first tab, in this order, by their paths in the folder of the page
    "style.css",
    "frame.css",
    "draw/draw.css",
    "network/network.css",
    "unit/unit.css",
)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_ASIDE = re.compile(  # behind what a line says, without a sign that may be of a text; types
    r"""(?<=[;,{}()\]]) +// [^\n'"`]*$|/\*\* @[^*\n]*\*/ ?""", re.MULTILINE
)
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)


def bare(text: str) -> str:
    r"""Returns a module or a style without comments and the spaces that lines begin with.

    No text in it may go over the end of a line.

    >>> bare("/* of the page */\n  let a = 1; // one\n")
    'let a = 1;\n'
    """
    return _INDENT.sub("", _ASIDE.sub("", _COMMENT.sub("", text)))
