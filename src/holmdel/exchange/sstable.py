"""Sorted tables of keys and values, as LevelDB has them: the index of a TensorFlow checkpoint.

The format is that of LevelDB's doc/table_format.md: blocks of entries, each key without what it
shares with the key before it; a block that says where the blocks are; and a footer of 48 bytes.
"""

from collections.abc import Iterator

from holmdel.exchange.archive import damaged
from holmdel.exchange.protobuf import varint

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER, TRAILER = 48, 5  # bytes; behind a block stand its compression and its checksum
PLAIN = 0


def read_table(path: object, content: memoryview) -> dict[bytes, memoryview]:
    """Returns the entries of a table; values are windows on `content`.

    Raises:
        UserError: if it is damaged, or its blocks are compressed, which TensorFlow never does.
    """
    if len(content) < FOOTER or content[-len(MAGIC) :] != MAGIC:
        raise damaged(path, "it does not end as an index")
    footer = content[-FOOTER:]
    _, at = _handle(path, footer, 0)  # of what tables of today have none of
    index, _ = _handle(path, footer, at)
    found: dict[bytes, memoryview] = {}
    for _, handle in _entries(path, _block(path, content, index)):
        where, _ = _handle(path, handle, 0)
        found.update(_entries(path, _block(path, content, where)))
    return found


def _handle(path: object, content: memoryview, at: int) -> tuple[tuple[int, int], int]:
    """Returns where a block begins and how long it is, and the place behind this."""
    begin, at = varint(path, content, at)
    length, at = varint(path, content, at)
    return (begin, length), at


def _block(path: object, content: memoryview, where: tuple[int, int]) -> memoryview:
    begin, length = where
    if begin + length + TRAILER > len(content) or length < 4:
        raise damaged(path, f"a block of {length} bytes at byte {begin}")
    if content[begin + length] != PLAIN:
        raise damaged(path, f"a block compressed in the way {content[begin + length]}")
    return content[begin : begin + length]


def _entries(path: object, block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yields the keys and the values of a block, at whose end stand the places of whole keys."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise damaged(path, f"a block with {restarts} restarts")
    at, key = 0, b""
    while at < end:
        shared, at = varint(path, block, at)
        more, at = varint(path, block, at)
        length, at = varint(path, block, at)
        if shared > len(key) or at + more + length > end:
            raise damaged(path, f"an entry of {more} and {length} bytes")
        key = key[:shared] + bytes(block[at : at + more])
        yield key, block[at + more : at + more + length]
        at += more + length
