"""Sizes computed with integers alone.

Letters: N batch, C channels, H height, W width, K kernel, S stride, P padding.
Tensors are (N, C, H, W).
"""

from holmdel.errors import UserError


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Returns the output size, in pixels, of a convolution or pooling along one axis.

    floor((size + 2 P - K) / S) + 1; Dumoulin and Visin, "A guide to convolution arithmetic for
    deep learning" (2016), relationship 6.

    Raises:
        UserError: if the window does not fit into the padded picture.

    >>> output_size(28, kernel=5, padding=2)
    28
    >>> output_size(28, kernel=2, stride=2)
    14
    """
    if size + 2 * padding < kernel:
        raise UserError(
            f"a window of {kernel} does not fit into {size} pixels with a padding of {padding}; "
            "give a larger picture or a smaller kernel"
        )
    return (size + 2 * padding - kernel) // stride + 1


def parse_size(text: str) -> tuple[int, int, int]:
    """Returns (C, H, W) from a text such as `1x28x28`.

    Raises:
        UserError: if the text has another form, or a number below 1.

    >>> parse_size("3x32x32")
    (3, 32, 32)
    """
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(p.isdecimal() and int(p) > 0 for p in parts):
        raise UserError(
            f"an input size was given as {text!r}; expected CxHxW, channels, height and width, "
            "such as 1x28x28"
        )
    channels, height, width = (int(p) for p in parts)
    return channels, height, width
