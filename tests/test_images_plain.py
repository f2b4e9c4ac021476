"""What framing asks of OpenCV, in NumPy: the same numbers."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from holmdel.images import plain
from holmdel.images.pixels import median

SEEDS = range(12)
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def masks(seed):
    """Gives masks (H, W) of zeros and ones, some of one row or column, thin to dense."""
    chance = np.random.default_rng(seed)
    for share in (0.0, 0.05, 0.3, 0.5, 0.8, 1.0):
        yield (chance.random(chance.integers(1, 60, 2)) < share).astype(np.uint8)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (2,), (7, 3), (8, 3), (5, 4, 3)])
def test_medians_are_those_of_numpy(shape, kind):
    numbers = (np.random.default_rng(3).random(shape) * 255).astype(kind)
    for axis in (None, *range(len(shape))):
        found, expected = median(numbers, axis), np.median(numbers, axis)
        assert (found == expected).all()
        assert np.asarray(found).dtype == expected.dtype
    assert np.isnan(median([]))


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("seed", SEEDS)
def test_parts_are_numbered_and_measured_as_by_opencv(seed, connectivity):
    for mask in masks(seed):
        count, labels = cv2.connectedComponents(mask, connectivity=connectivity)
        found = plain.connectedComponentsWithStats(mask, connectivity=connectivity)
        stats = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)[2]
        assert found[0] == count
        assert np.array_equal(found[1], labels)
        assert np.array_equal(plain.connectedComponents(mask, connectivity)[1], labels)
        assert np.array_equal(found[2][1:], stats[1:])
        assert found[2][0, plain.CC_STAT_AREA] == stats[0, cv2.CC_STAT_AREA]


def test_a_part_that_winds_is_one():
    """A spiral: a row's runs are joined by way of many others."""
    mask = np.zeros((41, 41), np.uint8)
    for inset in range(0, 20, 2):
        mask[inset, max(inset - 2, 0) : 41 - inset] = 1
        mask[inset : 41 - inset, 40 - inset] = 1
        mask[40 - inset, inset : 41 - inset] = 1
        mask[inset + 2 : 41 - inset, inset] = 1
    assert plain.connectedComponents(mask, 4)[0] == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_dilated_and_eroded_as_by_opencv(seed):
    chance = np.random.default_rng(seed)
    for mask in masks(seed):
        rows, columns = (int(n) for n in chance.integers(1, 9, 2))
        ones, at = np.ones((rows, columns), np.uint8), (columns - 1, rows // 3)
        for image in (mask, chance.random(mask.shape).astype(np.float32)):
            for kernel, how in (
                (ones, {}),
                (ones, {"anchor": at}),
                (CROSS, {}),
                (ones, {"anchor": at, "borderType": cv2.BORDER_CONSTANT, "borderValue": (0,)}),
            ):
                for name in ("dilate", "erode"):
                    expected = getattr(cv2, name)(image, kernel, **how)
                    assert np.array_equal(getattr(plain, name)(image, kernel, **how), expected)
            thrice = cv2.dilate(image, CROSS, iterations=3)
            assert np.array_equal(plain.dilate(image, CROSS, iterations=3), thrice)
            closed = cv2.morphologyEx(image, cv2.MORPH_CLOSE, ones)
            assert np.array_equal(plain.morphologyEx(image, plain.MORPH_CLOSE, ones), closed)


@pytest.mark.parametrize("seed", SEEDS)
def test_measured_as_by_opencv(seed):
    chance = np.random.default_rng(seed)
    for mask in masks(seed):
        grey = mask * chance.integers(1, 256, mask.shape).astype(np.uint8)
        assert plain.boundingRect(grey) == tuple(cv2.boundingRect(grey))
        expected = cv2.moments(grey)
        assert plain.moments(grey).items() <= expected.items()
        inside = np.pad(mask, 1)
        far = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        found = plain.distanceTransform(inside, plain.DIST_L2, plain.DIST_MASK_PRECISE)
        assert np.abs(found - far).max() <= 1e-6
        wide = chance.random((mask.shape[0] + 4, mask.shape[1] + 4)).astype(np.float32)
        soft = cv2.GaussianBlur(wide, (9, 9), 1, borderType=cv2.BORDER_REFLECT)
        own = plain.GaussianBlur(wide, (9, 9), 1, borderType=plain.BORDER_REFLECT)
        assert np.abs(own - soft).max() < 3e-7


def photographs(folder, darkest, grain):
    """Writes images of a seven: on ruled paper, in such light, beside a one, small, empty."""
    for number, (side, rules, beside) in enumerate(
        [(400, 0, False), (400, 6, False), (900, 0, True), (60, 0, False), (28, 0, False)]
    ):
        image = Image.new("L", (side, side), 235)
        draw = ImageDraw.Draw(image)
        for row in range(rules):
            y = (row + 1) * side // 7
            draw.line([(0, y), (side, y)], fill=150, width=2)
        a, b, c = side * 3 // 10, side * 6 // 10, side * 8 // 10
        draw.line([(a, a), (b, a), (a + side // 10, c)], fill=40, width=1 + side // 16)
        if beside:
            draw.line([(c, a), (c, c)], fill=40, width=side // 16)
        light = np.linspace(1, darkest, side)[None, :]
        shown = np.asarray(image) * light + np.random.default_rng(number).normal(
            0, grain, (side, 1)
        )
        Image.fromarray(shown.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    Image.new("L", (90, 90), 255).save(folder / "empty.png")


@pytest.mark.parametrize(
    ("model", "light"), [("lenet-mnist", (0.7, 3)), ("lenet-fashion-mnist", (1, 0))]
)
def test_without_opencv_photographs_are_framed_and_named_as_with_it(
    holmdel, without_torch, tmp_path, model, light
):
    photographs(tmp_path, *light)
    out = tmp_path / "m.safetensors"
    assert holmdel("export", model, "--to", "safetensors", "--out", out).status == 0
    words = ("predict", out, *sorted(tmp_path.glob("*.png")), "--format", "jsonl")
    with_it = holmdel(*words, "--show", "with")
    done = without_torch(*words, "--show", "without", besides=("cv2", "onnxruntime"))
    assert done.stdout == with_it.out
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert ["label" in answer for answer in answers] == [True] * 5 + [False]
    shown = [
        {one.name: one.read_bytes() for one in folder.iterdir()}
        for folder in map(tmp_path.__truediv__, ("work/with", "work/without"))
    ]
    assert shown[0] == shown[1] != {}
