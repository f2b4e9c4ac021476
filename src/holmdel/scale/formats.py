"""The files of answers: JSON lines, or Parquet with a column a field."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from holmdel.errors import UserError

Answer = dict[str, Any]
Encode = Callable[[Sequence[Answer], str], bytes]


def to_jsonl(answers: Sequence[Answer], verb: str = "read") -> bytes:
    """Returns answers as a JSON object a line."""
    return "".join(json.dumps(answer) + "\n" for answer in answers).encode()


def to_parquet(answers: Sequence[Answer], verb: str = "read") -> bytes:
    """Returns answers as a Parquet file; `value`, which differs by pattern, is a text of JSON.

    Args:
        answers: lines of the verb.
        verb: `read` or `predict`.

    Raises:
        UserError: if pyarrow is not installed.
    """
    arrow = _arrow()
    rows = [{**row, "lines": [_flat(line) for line in row.get("lines", ())]} for row in answers]
    table = arrow.Table.from_pylist(rows, schema=_schema(verb))
    file = io.BytesIO()
    arrow.parquet.write_table(table, file, compression="zstd")
    return file.getvalue()


def _flat(line: Answer) -> Answer:
    return {**line, "value": json.dumps(line["value"])} if "value" in line else line


def _arrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UserError(
            "--format parquet needs pyarrow, which is not installed; install it with: pip install "
            "'holmdel[parquet]'"
        ) from None
    return pyarrow


def _schema(verb: str) -> Any:
    """Returns the columns; each file of a job has the same, whatever its answers have."""
    a = _arrow()
    text, real, whole = a.string(), a.float64(), a.int64()
    head = {"path": text, "page": whole, "error": text}
    if verb == "predict":
        top = a.list_(a.struct({"label": text, "probability": real}))
        own = {"label": text, "index": whole, "probability": real, "top": top, "found": text}
        return a.schema(list({**head, **own}.items()))
    box = a.list_(a.int32())
    digit = a.struct({"char": text, "confidence": real, "box": box})
    line = {"field": text, "text": text, "raw": text, "value": text, "confidence": real}
    line |= {"status": text, "box": box, "digits": a.list_(digit)}
    skipped = a.struct({"field": text, "box": box, "reason": text, "required": a.bool_()})
    record = a.struct({"amount": whole, "sequence": text, "routing": text})
    own = {"record": record, "agrees": a.bool_(), "lines": a.list_(a.struct(line))}
    return a.schema(list({**head, **own, "skipped": a.list_(skipped)}.items()))


FORMATS: dict[str, Encode] = {"jsonl": to_jsonl, "parquet": to_parquet}
