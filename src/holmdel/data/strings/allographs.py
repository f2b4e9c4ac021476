"""Shapes of digits that hands all over the world write and MNIST hardly has, as pen strokes.

A stroke is a list of points (x, y), x to the right and y down in a box of 1 x 1 that the digit
fills; a smooth curve runs through the points, and straight lines where there are only two. The
shapes were drawn by eye after European and Latin American school hands.
"""

Point = tuple[float, float]
Stroke = tuple[Point, ...]
Allograph = tuple[Stroke, ...]

# Strokes with a bar between them, points with a comma, x and y in hundredths of the box.
_SHAPES = {
    "0": (
        # plain oval, begun at the top, not quite closed or crossing itself
        "55 0, 10 30, 15 80, 50 100, 90 65, 80 15, 50 2",
        "60 5, 20 10, 0 50, 30 97, 80 85, 98 40, 70 5, 45 10",
        # a small tail or loop where it closes
        "50 0, 5 45, 40 100, 90 60, 60 5, 45 5, 80 12, 125 0",
        "75 12, 40 0, 2 45, 40 100, 95 60, 75 10, 50 8, 60 30",
        # open at the top, as a u that leans together
        "25 5, 3 50, 35 100, 85 80, 95 30, 70 2",
    ),
    "1": (
        # a bare slash
        "50 0, 48 50, 45 100",
        "50 0, 50 100",
        # with an upstroke, short to as long as the stem
        "0 50, 28 20, 50 0 | 50 0, 45 50, 42 100",
        "0 75, 30 35, 50 0 | 50 0, 42 50, 38 100",
        "0 95, 30 45, 55 0 | 55 0, 50 50, 48 100",
        "-15 55, 15 30, 55 0 | 55 0, 45 100",
        "20 22, 50 0 | 50 0, 50 100",
        # upstroke and stem in one bend, or in a narrow loop
        "0 70, 30 30, 42 2, 30 6, 28 50, 33 100",
        "5 60, 35 20, 50 2, 46 20, 42 60, 40 100",
        # with a foot, or a hook below
        "10 30, 50 0 | 50 0, 45 100 | 15 100, 80 98",
        "10 35, 50 0 | 50 0, 52 70, 40 98, 0 92",
    ),
    "2": (
        "5 25, 35 0, 75 20, 50 60, 0 100 | 0 100, 50 97, 100 95",
        "10 30, 20 5, 60 0, 85 25, 60 60, 5 100 | 5 100, 100 100",
        # looped at the foot
        "10 20, 45 0, 78 22, 50 65, 12 98, 5 85, 25 80, 60 97, 105 90",
        "50 30, 22 38, 14 18, 45 0, 72 20, 50 65, 8 100, 40 96, 95 98",
        "45 28, 20 30, 20 8, 50 0, 70 22, 50 60, 10 95, 12 85, 40 90, 70 100, 100 90",
        # as a Z, flat or waved above
        "5 8, 40 2, 85 5 | 85 5, 40 55, 0 100 | 0 100, 50 95, 105 100",
        "0 20, 20 5, 50 12, 90 0 | 90 0, 45 50, 2 95 | 2 95, 35 90, 70 100, 110 92",
        # with a swan's neck
        "30 35, 10 25, 25 2, 70 5, 75 40, 35 80, 0 95, 20 85, 55 98, 110 95",
    ),
    "3": (
        "10 12, 50 0, 80 20, 35 45 | 35 45, 85 65, 55 100, 0 88",
        "15 15, 50 0, 78 22, 42 46, 50 48, 88 70, 50 100, 5 90",
        # flat above
        "5 5, 45 4, 80 2 | 80 2, 35 40 | 35 40, 80 60, 60 95, 0 92",
        # a loop in the middle
        "10 15, 55 0, 75 25, 40 48, 25 42, 45 40, 85 65, 55 100, 0 85",
    ),
    "4": (
        # closed, as in print
        "70 0, 35 35, 0 68 | 0 68, 50 66, 100 64 | 70 0, 68 50, 66 100",
        # open above: a corner and a stem through it
        "30 0, 15 30, 0 60 | 0 60, 50 60, 100 55 | 60 30, 55 70, 50 105",
        "20 0, 10 30, 5 55 | 5 55, 45 55, 90 50 | 75 5, 70 50, 62 100",
        # as an H whose left leg ends at the bar
        "12 0, 5 50 | 5 50, 50 50, 95 45 | 72 0, 68 50, 66 100",
        "20 0, 10 45, 15 55, 50 45, 85 42 | 80 0, 70 50, 65 100",
        # round below, as a y or an h
        "25 0, 8 55, 30 64, 80 50 | 70 25, 62 60, 58 100",
        "30 0, 10 45, 30 50, 65 30 | 75 10, 65 60, 60 100",
        "10 2, 10 40, 35 55, 70 40 | 80 0, 72 50, 55 100",
        # one stroke: down, a loop back, down
        "35 0, 15 35, 2 62, 30 60, 75 35, 80 20, 70 55, 62 100",
        "40 0, 10 50, 5 62, 40 60, 100 52 | 62 28, 55 95",
    ),
    "5": (
        "15 0, 10 42, 50 35, 85 65, 50 100, 0 90 | 15 2, 50 2, 90 0",
        "25 2, 15 40 | 15 40, 60 40, 75 75, 40 100, 0 92 | 25 2, 60 4, 100 0",
        # the bar long and far to the right
        "35 5, 28 42 | 28 42, 60 45, 68 75, 40 100, 5 90 | 38 3, 70 0, 120 -5",
        "45 5, 30 40, 50 55, 50 85, 25 100, 5 85 | 45 5, 100 0",
        # as an S
        "90 2, 50 0, 20 12, 20 40, 60 55, 70 80, 40 100, 0 92",
        "100 0, 35 5, 20 35, 55 50, 65 75, 35 100, 0 90",
        # as an r or a root: the bowl hardly more than a stem
        "50 5, 42 50, 35 85, 5 100 | 45 5, 80 2, 110 -3",
        "0 50, 18 100, 28 85, 40 8 | 40 6, 70 4, 105 0",
        "0 40, 10 95, 20 90, 30 50, 45 6 | 45 6, 75 10, 95 0",
        "15 60, 25 95, 45 60, 50 8 | 50 8, 75 12, 100 2",
        # without a bar
        "30 5, 25 50, 50 60, 45 90, 10 95",
    ),
    "6": (
        "75 0, 25 35, 5 75, 40 100, 85 80, 60 55, 10 72",
        "60 0, 10 50, 10 85, 50 100, 80 75, 50 60, 15 85",
        "90 8, 50 0, 10 40, 10 85, 50 100, 85 72, 50 50, 10 65",
        # as a b, with a small bowl
        "35 0, 15 50, 15 90, 45 100, 70 82, 50 66, 18 85",
    ),
    "7": (
        "5 5, 50 4, 90 0 | 90 0, 55 50, 40 100",
        "0 20, 8 3, 50 6, 90 0 | 90 0, 50 50, 30 100",
        # barred
        "0 12, 40 8, 80 3 | 80 3, 50 50, 35 100 | 20 50, 55 48, 90 45",
        "5 25, 15 8, 45 12, 75 3 | 75 3, 50 50, 40 100 | 20 55, 85 50",
        "0 30, 25 12, 55 8 | 55 8, 45 50, 38 100 | 10 50, 90 47",
        "15 25, 30 12, 65 10 | 65 10, 50 50, 42 100 | 0 50, 50 50, 100 46",
        "2 20, 8 5, 45 8, 85 2 | 85 2, 60 45, 50 100",
        # as a t or an F turned round: the hook small, the bar long
        "20 20, 40 5, 55 5 | 55 5, 48 50, 42 100 | 5 45, 95 42",
        "10 15, 30 2, 60 12, 85 2, 60 40, 45 100 | 25 50, 80 46",
        # bent stem
        "5 10, 50 8, 85 2, 60 30, 45 65, 50 100",
    ),
    "8": (
        "80 15, 40 0, 15 25, 50 48, 85 75, 45 100, 10 75, 50 50, 85 20",
        "75 10, 35 0, 15 25, 60 55, 70 85, 35 100, 10 80, 50 50, 85 15, 75 2",
        # two circles, one on the other
        "50 45, 20 30, 30 3, 70 3, 80 30, 50 45 | 50 45, 10 65, 25 98, 75 98, 90 65, 50 45",
        # open above: begun and ended apart
        "90 5, 40 10, 20 30, 60 55, 70 85, 35 100, 10 80, 45 55, 100 20",
    ),
    "9": (
        "85 15, 45 0, 10 25, 40 50, 82 25 | 85 10, 80 50, 70 100",
        "80 20, 40 0, 10 28, 45 48, 82 20, 80 50, 75 100",
        # as a g, with a hook below
        "80 15, 40 0, 5 25, 40 50, 80 20, 75 80, 40 100, 5 85",
        "85 10, 45 0, 10 25, 40 45, 80 15, 80 60, 50 98, 10 95, 20 80",
        # as a P turned round or upright: the bowl crosses the stem
        "80 12, 35 0, 5 28, 35 48, 80 28, 78 10, 50 55, 25 100",
        "75 10, 30 5, 10 35, 50 45, 85 20, 60 2, 40 20, 35 60, 30 100",
        "25 100, 30 50, 32 8, 70 0, 85 25, 35 50",
        "50 100, 50 55, 45 10, 15 12, 10 40, 45 42, 75 15, 60 0, 40 10",
        # a curl that runs into the stem
        "60 30, 35 40, 25 15, 60 0, 85 25, 75 70, 45 100",
        "90 5, 50 0, 15 25, 45 42, 75 20, 60 60, 35 100",
    ),
}

# Signs beside the digits, of a digit's height.
_SIGNS = {
    "$": "85 20, 50 8, 15 28, 50 50, 85 72, 50 92, 10 80 | 50 -5, 48 105",
    "€": "95 12, 55 0, 20 50, 55 100, 95 88 | 0 40, 70 38 | 0 60, 65 58",
    "£": "90 15, 60 0, 35 25, 40 70, 10 100 | 10 100, 50 93, 100 100 | 10 50, 75 50",
}


def _strokes(text: str) -> Allograph:
    """Returns the strokes of a shape that is written as text."""
    strokes = (stroke.split(",") for stroke in text.split("|"))
    return tuple(tuple(_point(*map(int, point.split())) for point in stroke) for stroke in strokes)


def _point(x: int, y: int) -> Point:
    return x / 100, y / 100


ALLOGRAPHS: dict[str, tuple[Allograph, ...]] = {
    digit: tuple(map(_strokes, shapes)) for digit, shapes in _SHAPES.items()
}
CURRENCY: dict[str, Allograph] = {sign: _strokes(shape) for sign, shape in _SIGNS.items()}
