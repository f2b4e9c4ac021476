"""The text of a page's modules and styles, made short: for the server, and for exported pages."""

import re

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
