"""Tables as a notebook shows them."""

from collections.abc import Iterable, Sequence


def html_table(head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """Returns a table in HTML; its cells are texts, not HTML.

    >>> html_table(["class"], [["<b>"]])
    '<table><tr><th>class</th></tr><tr><td>&lt;b&gt;</td></tr></table>'
    """
    import html

    lines = [_row(head, "th"), *(_row(row, "td") for row in rows)]
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}{''.join(lines)}</table>"


def _row(cells: Sequence[object], tag: str) -> str:
    import html  # for notebooks alone

    row = "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells)
    return f"<tr>{row}</tr>"
