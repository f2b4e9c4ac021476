"""Tables as a notebook shows them."""

from collections.abc import Iterable, Sequence


def html_table(head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Returns a table in HTML; its cells are texts, not HTML.

    >>> html_table(["class"], [["<b>"]])
    '<table><tr><th>class</th></tr><tr><td>&lt;b&gt;</td></tr></table>'
    """
    from html import escape  # for notebooks alone

    def row_of(cells: Sequence[object], tag: str) -> str:
        row = "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
        return f"<tr>{row}</tr>"

    lines = [row_of(head, "th"), *(row_of(row, "td") for row in rows)]
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}{''.join(lines)}</table>"
