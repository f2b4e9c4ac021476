"""Images: decoding, framing, and the contract between an image and a network."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from holmdel import UserError, images
from holmdel.data.idx import read_images
from holmdel.images import MOST_PIXELS, ImageContract, decode, frame, to_input
from holmdel.images.framing import framed

DIGIT = ImageContract(framing="digit")
OBJECT = ImageContract(framing="object")


def ring(height=28, width=28, ink=0, paper=255, radius=8.0):
    """A `0` in the middle of a page."""
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - height // 2, x - width // 2)
    return np.where(np.abs(away - radius) < radius / 5, ink, paper).astype(np.uint8)


def photo_of(ring_, seed=0):
    """The same under slanting light, with noise and a speck of dust."""
    height, width = ring_.shape
    light = np.linspace(1.0, 0.6, width)[None] * np.linspace(0.9, 1.0, height)[:, None]
    noise = np.random.default_rng(seed).normal(0, 4, ring_.shape)
    photo = ring_ * light + noise
    photo[5:7, 5:7] = 0
    return photo.clip(0, 255).astype(np.uint8)


def boxed(framed):
    """(top, bottom, left, right) of what is not black."""
    lit = framed[0].numpy() > 0
    rows, columns = np.flatnonzero(lit.any(1)), np.flatnonzero(lit.any(0))
    return tuple(int(n) for n in (rows[0], rows[-1], columns[0], columns[-1]))


# decode


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "pil", "array", "tensor", "floats"])
def test_every_kind_of_picture_gives_the_same_pixels(kind, tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    picture = {
        "path": path,
        "text": str(path),
        "bytes": path.read_bytes(),
        "pil": Image.fromarray(pixels),
        "array": pixels,
        "tensor": torch.tensor(pixels)[None],
        "floats": torch.tensor(pixels) / 255,
    }[kind]
    assert decode(picture, 1).tolist() == pixels[:, :, None].tolist()
    assert decode(picture, 3).shape == (3, 4, 3)


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 1), (1, 5, 6), (5, 6, 3), (3, 5, 6), (4, 5, 6)])
def test_an_array_may_have_its_channels_first_or_last(shape):
    assert decode(np.full(shape, 255, np.uint8), 1).shape == (5, 6, 1)


def test_a_photograph_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    Image.new("L", (6, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert decode(tmp_path / "a.jpg", 1).shape == (6, 4, 1)


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    palette = Image.new("P", (2, 2))
    palette.info["transparency"] = 0
    assert (decode(clear, 1) == 255).all()
    assert (decode(palette, 3) == 255).all()
    assert (decode(np.zeros((2, 2, 4), np.uint8), 1) == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_white_is_white_in_every_mode(mode):
    assert (decode(Image.new("RGB", (2, 2), "white").convert(mode), 1) == 255).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", 1).ravel().tolist() == [0, 100, 255]
    assert decode(values, 1).ravel().tolist() == [0, 100, 255]
    Image.fromarray(values.astype(np.float32) / 65535).save(tmp_path / "a.tif")
    assert decode(tmp_path / "a.tif", 1).ravel().tolist() == [0, 100, 255]


@pytest.mark.parametrize("kind", ["u2", "i4", "f4"])
def test_the_byte_order_of_an_array_does_not_matter(kind):
    values = np.array([[0, 100, 200]]) / (200 if kind == "f4" else 1)
    big, little = (decode(values.astype(order + kind), 1) for order in "><")
    assert big.tolist() == little.tolist()


@pytest.mark.parametrize("turned", [1, 3])
def test_a_tiff_says_whether_its_0_is_white(tmp_path, turned):
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    for photometric, expected in ((0, [255, 155, 0]), (1, [0, 100, 255])):
        tags = {262: photometric, 274: turned}
        Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo=tags)
        expected = expected if turned == 1 else expected[::-1]
        assert decode(tmp_path / "a.tif", 1).ravel().tolist() == expected


def test_a_tiff_on_its_side_is_the_same_by_its_name(tmp_path):
    values = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={274: 6})
    for given in (tmp_path / "a.tif", (tmp_path / "a.tif").read_bytes()):
        assert decode(given, 1)[:, :, 0].tolist() == [[4, 1], [5, 2], [6, 3]]


def planar_tiff(planes, order, *more):
    """The bytes of a TIFF of planes, uint8 or uint16 (C, H, W), one after the other."""
    count, height, width = planes.shape
    bits, size = 8 * planes.itemsize, planes[0].nbytes
    entries = {256: [width], 257: [height], 258: [bits] * count, 259: [1], 262: [1 + (count > 2)]}
    starts = 8 + size * np.arange(count)
    entries |= {
        273: starts,
        277: [count],
        278: [height],
        279: [size] * count,
        284: [2],
        **dict(more),
    }
    lists = planes.astype(planes.dtype.newbyteorder(order)).tobytes()
    table = b""
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            lists, packed = lists + packed, struct.pack(order + "I", 8 + len(lists))
        table += struct.pack(order + "HHI", tag, 4, len(values)) + packed
    head = b"II*\0" if order == "<" else b"MM\0*"
    table = struct.pack(order + "H", len(entries)) + table + bytes(4)
    return head + struct.pack(order + "I", 8 + len(lists)) + lists + table


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("deep", [False, True])
def test_a_tiff_may_store_its_planes_apart(order, deep):
    red = np.arange(48, dtype=np.uint16).reshape(4, 12) * 5
    planes = np.stack([red, 255 - red, red // 2])
    stored = planes * 257 if deep else planes.astype(np.uint8)
    assert decode(planar_tiff(stored, order), 3).tolist() == np.moveaxis(planes, 0, 2).tolist()


def test_a_tiff_whose_alpha_would_be_lost_is_refused():
    planes = np.full((2, 4, 12), 255, np.uint8)
    planes[0, 1:3, 2:9] = 0
    with pytest.raises(UserError, match=r"stores its grey and its alpha apart; save it as a PNG"):
        decode(planar_tiff(planes, "<", (338, [2])), 1)


def test_each_unusable_file_says_what_is_wrong_with_it(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.png").write_text("seven")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    half = (tmp_path / "whole.png").read_bytes()[:2000]
    (tmp_path / "half.png").write_bytes(half)
    for picture, sentence in [
        (tmp_path / "none.png", r"there is no file .*none\.png"),
        (tmp_path, r"is a folder; expected an image"),
        (tmp_path / "empty.png", r"empty\.png is empty; expected an image"),
        (b"", r"image of 0 bytes is empty"),
        (tmp_path / "notes.png", r"notes\.png is not an image"),
        (tmp_path / "half.png", r"half\.png is cut short or damaged"),
        (half, r"image of 2,000 bytes is cut short or damaged"),
    ]:
        with pytest.raises(UserError, match=sentence):
            decode(picture, 1)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = tmp_path / "secret.png"
    Image.new("L", (2, 2)).save(path)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything; nobody may not
    try:
        with pytest.raises(UserError, match=r"cannot be read \(Permission denied\)"):
            decode(path, 1)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("height", [5_001, 20_000])
def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, height):
    width = 20_000
    assert width * height > MOST_PIXELS
    head = f"P5 {width} {height} 255\n".encode()  # a header alone: decoding would say "cut short"
    (tmp_path / "bomb.pgm").write_bytes(head)
    with pytest.raises(UserError, match=r"bomb\.pgm has .*pixels, where 100,000,000 are the most"):
        decode(tmp_path / "bomb.pgm", 1)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((2, 3, 28, 28)), r"array of shape \(2, 3, 28, 28\); expected \(H, W\)"),
        (np.zeros((0, 3)), r"array of shape \(0, 3\)"),
        (np.full((2, 2), 1.5), r"float64 from 1.5 to 1.5; expected floats in 0..1"),
        (np.full((2, 2), -1), r"int64 from -1 to -1; expected .* integers in 0..255"),
        (np.full((2, 2), np.nan), r"from nan to nan"),
    ],
)
def test_an_array_of_another_form_or_range_is_refused(array, sentence):
    with pytest.raises(UserError, match=sentence):
        decode(array, 1)


def test_only_grey_and_colour_can_be_asked_for():
    with pytest.raises(UserError, match="channels was given as 2; expected 1"):
        decode(np.zeros((2, 2), np.uint8), 2)


# frame


@pytest.mark.parametrize("contract", [DIGIT, OBJECT])
def test_a_picture_in_the_data_sets_form_passes_bit_for_bit(contract):
    radius = 8 if contract is DIGIT else 12  # a box of 20 of 28 pixels, or all 28
    pixels = ring(ink=255, paper=0, radius=radius)[:, :, None]
    assert torch.equal(frame(pixels, contract), torch.tensor(pixels).permute(2, 0, 1))
    assert torch.equal(frame(255 - pixels, contract), torch.tensor(pixels).permute(2, 0, 1))


@pytest.mark.parametrize(("ink", "paper"), [(20, 230), (250, 40)])
def test_a_digit_lands_in_a_box_of_20_about_its_centre_of_mass(ink, paper):
    page = np.full((300, 240), paper, np.uint8)
    page[180:280, 10:110] = ring(100, 100, ink, paper, radius=30)
    framed = frame(photo_of(page)[:, :, None], DIGIT)
    assert framed.dtype == torch.uint8
    assert framed.shape == (1, 28, 28)
    top, bottom, left, right = boxed(framed)
    assert max(bottom - top, right - left) + 1 == 20
    assert min(bottom - top, right - left) + 1 >= 19
    mass = framed[0].double()
    at = torch.arange(28.0, dtype=torch.double)
    assert abs(float(mass.sum(1) @ at / mass.sum()) - 14) <= 0.5
    assert abs(float(mass.sum(0) @ at / mass.sum()) - 14) <= 0.5
    assert framed[0, 14, 14] == 0  # the hole of the 0
    assert framed.max() > 240


def test_a_digit_cut_out_without_a_margin_is_found():
    y, x = np.mgrid[:16, :16] - 7.5
    away = np.hypot(y, x)
    bold = np.where((away > 2.5) & (away < 8.2), 0, 255).astype(np.uint8)
    top, bottom, _, _ = boxed(frame(bold[:, :, None], DIGIT))
    assert bottom - top + 1 == 20


def test_the_neighbours_stroke_at_the_border_is_left_out():
    page = np.full((120, 120), 235, np.uint8)
    page[20:100, 20:100] = ring(80, 80, 30, 235, radius=30)
    page[10:110, 112:] = 30
    top, bottom, left, right = boxed(frame(page[:, :, None], DIGIT))
    assert (bottom - top + 1, right - left + 1) == (20, 20)  # the ring alone


def test_a_thin_pen_still_leaves_ink():
    page = np.full((400, 400), 235, np.uint8)
    page[50:350, 199:201] = page[199:201, 50:350] = 30  # 2 of 300: a tenth of a pixel in 20
    assert frame(page[:, :, None], DIGIT).max() > 200


def test_the_digit_framing_scales_with_the_stored_size():
    contract = ImageContract(stored=(3, 56, 56), framing="digit")
    page = photo_of(ring(200, 200, radius=50))
    top, bottom, _, _ = boxed(frame(decode(page, 3), contract))
    assert bottom - top + 1 == 40


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("contract", [DIGIT, OBJECT])
def test_a_blank_page_gives_zeros(grey, contract):
    assert not frame(np.full((90, 70, 1), grey, np.uint8), contract).any()
    assert not frame(np.full((1, 1, 1), grey, np.uint8), contract).any()


def test_an_empty_noisy_page_gives_zeros():
    assert not frame(photo_of(np.full((120, 90), 220, np.uint8))[8:, 8:, None], DIGIT).any()


def test_a_column_of_ground_more_changes_nothing():
    """A ring that is small and off centre, in exactly the stored size and beside it."""
    page = np.zeros((28, 28), np.uint8)
    page[2:16, 10:24] = ring(14, 14, 255, 0, radius=5)
    wider = np.pad(page, [(0, 0), (0, 1)])
    for some in (lambda x: x, lambda x: 255 - x):
        at, beside = (frame(some(x)[:, :, None], DIGIT) for x in (page, wider))
        assert torch.equal(at, beside)
        top, bottom, _, _ = boxed(at)
        assert bottom - top + 1 == 20


def found(page):
    return framed(page[:, :, None], DIGIT).found


def ruled(page, grey, *, thick=2, pitch=34, tilt=0.0, wave=0.0, standing=False):
    """A page with rules in it: `tilt` in rows per column, `wave` in rows."""
    lines = page.T.copy() if standing else page.copy()
    height, width = lines.shape
    x = np.arange(width)
    bent = tilt * x + wave * np.sin(x / 30)
    away = (np.arange(height)[:, None] - bent[None] + 5) % pitch
    lines = np.where(away < thick, np.minimum(lines, grey), lines).astype(np.uint8)
    return lines.T if standing else lines


PAGE = np.full((150, 200), 240, np.uint8)
PAGE[30:110, 60:140] = ring(80, 80, 40, 240, radius=30)


def like(one, other):
    """Whether two framed images are alike but for a pixel of shift; with rules left no more."""
    moved = [one.roll((y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    flat = torch.stack(moved).flatten(1).float()
    return bool(torch.cosine_similarity(flat, other.flatten()[None].float()).max() > 0.8)


@pytest.mark.parametrize("grey", [20, 90, 150, 200])
@pytest.mark.parametrize(
    "lines",
    [{}, {"thick": 4}, {"pitch": 20}, {"tilt": 0.03}, {"tilt": -0.02, "wave": 1.5}],
    ids=["level", "thick", "narrow", "askew", "wavy"],
)
@pytest.mark.parametrize("squared", [False, True])
def test_rules_are_taken_off_a_digit(grey, lines, squared):
    plain = frame(PAGE[:, :, None], DIGIT)
    page = ruled(PAGE, grey, **lines)
    page = ruled(page, grey, **lines, standing=True) if squared else page
    for some in (page, 255 - page):
        assert like(frame(some[:, :, None], DIGIT), plain)
        assert found(some) == "one"


@pytest.mark.parametrize("margin", [0, 1, 6])
@pytest.mark.parametrize("thick", [1, 4])
@pytest.mark.parametrize("grey", [20, 150])
def test_a_cells_frame_is_taken_off_a_digit(margin, thick, grey):
    cell = PAGE[15:125, 45:155].copy()
    plain = frame(cell[:, :, None], DIGIT)
    framed_ = np.full_like(cell, grey)
    framed_[thick:-thick, thick:-thick] = cell[thick:-thick, thick:-thick]
    page = np.pad(framed_, margin, constant_values=240)
    assert like(frame(page[:, :, None], DIGIT), plain)


def test_an_underline_is_taken_off_a_digit():
    page = PAGE.copy()
    page[110:113, 40:170] = 60  # 110 is the ring's lower end
    assert like(frame(page[:, :, None], DIGIT), frame(PAGE[:, :, None], DIGIT))


@pytest.mark.parametrize(
    "box",
    [(slice(0, 60), slice(8, 14)), (slice(5, 55), slice(8, 14)), (slice(0, 60), slice(0, 6))],
)
def test_an_upright_stroke_is_a_1_and_no_rule(box):
    page = np.full((60, 22), 240, np.uint8)
    page[box] = 30
    assert found(page) == "one"
    top, bottom, left, right = boxed(frame(page[:, :, None], DIGIT))
    assert bottom - top + 1 == 20
    assert right - left + 1 <= 4


def test_the_bar_of_a_7_is_no_rule():
    seven = np.full((60, 40), 240, np.uint8)
    seven[:6] = 30  # cut out without a margin: from border to border
    for row in range(60):
        column = round(34 - row * 0.5)
        seven[row, column : column + 6] = 30
    framed_ = frame(seven[:, :, None], DIGIT)[0].numpy()
    top = np.flatnonzero(framed_.any(1))[0]
    assert (framed_[top + 1] > 100).sum() >= 11  # the bar is there


def test_nothing_is_found_on_paper_noise_and_specks():
    draw = np.random.default_rng(0)
    paper = np.full((120, 160), 235, np.uint8)
    speck = paper.copy()
    speck[50:52, 60:62] = 0
    cell = np.full((60, 50), 240, np.uint8)
    cell[5:7, 5:45] = cell[53:55, 5:45] = cell[5:55, 5:7] = cell[5:55, 43:45] = 60
    for page in [
        paper,
        speck,
        cell,
        ruled(paper, 120),
        ruled(ruled(paper, 120), 120, standing=True),
        photo_of(paper)[8:, 8:],
        draw.integers(0, 256, (28, 28), np.uint8),
        draw.integers(0, 256, (200, 150), np.uint8),
        draw.normal(128, 40, (90, 120)).clip(0, 255).astype(np.uint8),
        (draw.random((100, 100)) < 0.5).astype(np.uint8) * 255,
        (draw.random((60, 60)) < 0.1).astype(np.uint8) * 255,
    ]:
        assert found(page) == "nothing", page.shape


def test_a_frame_far_beyond_the_screen_of_a_gif_is_not_decoded(tmp_path):
    """Its file is 200 bytes; as pixels it would take 400 megabytes before it is found damaged."""
    path = tmp_path / "frames.gif"
    small, far = Image.new("P", (4, 4)), struct.pack("<4H", 9_000, 9_000, 4, 4)
    small.save(path, save_all=True, append_images=[Image.new("P", (4, 4), 1)])
    head, mark, rest = path.read_bytes().rpartition(b"," + struct.pack("<4H", 0, 0, 4, 4))
    assert mark
    path.write_bytes(head + b"," + far + rest)
    with pytest.raises(
        UserError, match=r"is cut short or damaged \(\d+ bytes for 9004 x 9004 pixels"
    ):
        decode(f"{path}#2", channels=1)


def test_a_first_frame_keeps_its_size_whatever_comes_after_it(tmp_path):
    """PIL gives the first frame the size of one that it was at."""
    path = tmp_path / "frames.gif"
    first, second = Image.new("L", (4, 4), 90), Image.new("L", (4, 4), 10)
    first.save(path, save_all=True, append_images=[second])
    head, mark, rest = path.read_bytes().rpartition(b"," + struct.pack("<4H", 0, 0, 4, 4))
    assert mark
    for far in (3, 6_000):
        path.write_bytes(head + b"," + struct.pack("<4H", far, far, 4, 4) + rest)
        assert decode(path, channels=1).tolist() == 4 * [4 * [[90]]]
        assert [*images.pages(path)] == [path, f"{path}#2"]


@pytest.mark.parametrize("number", ["0", "-1", "01", "x"])
def test_pages_count_from_one(tmp_path, number):
    path = tmp_path / "scan.tif"
    Image.new("L", (4, 4)).save(path)
    with pytest.raises(UserError, match=r"pages count from 1, so the first is \S+scan\.tif#1"):
        decode(f"{path}#{number}", channels=1)
    with pytest.raises(UserError, match=r"page 2 of a file of one page; expected 1$"):
        decode(f"{path}#2", channels=1)
    with pytest.raises(UserError, match=r"there is no file \S+nil\.tif; check the name"):
        decode(tmp_path / "nil.tif#2", channels=1)


def test_two_digits_are_several_and_the_largest_is_framed():
    both = np.hstack([PAGE, PAGE[:, 20:]])
    both[30:60, 60:140] = 240  # the left one is cut: less ink
    assert found(both) == "several"
    assert like(frame(both[:, :, None], DIGIT), frame(PAGE[:, :, None], DIGIT))
    assert found(np.vstack([PAGE, PAGE])) == "several"


def test_specks_a_loose_flag_and_a_neighbours_rest_are_no_second_digit():
    page = PAGE.copy()
    page[68:72] = 240  # the ring falls into two halves
    page[20:26, 100:120] = 40  # a flag apart
    page[::40, ::37] = 40
    page[40:100, :12] = 40  # cut by the border
    assert found(page) == "one"


def test_an_object_and_a_fitted_image_are_found_unless_there_is_one_colour():
    fit = ImageContract(framing="fit")
    blank = np.full((40, 40, 1), 200, np.uint8)
    spot = blank.copy()
    spot[10:30, 12:28] = 20
    for contract in (OBJECT, fit):
        assert framed(blank, contract).found == "nothing"
        assert framed(spot, contract).found == "one"


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (8, 8), (3000, 30)])
def test_every_size_is_framed(shape):
    draw = np.random.default_rng(0)
    for page in (draw.integers(0, 256, shape, np.uint8), np.eye(*shape, dtype=np.uint8) * 255):
        for contract in (DIGIT, OBJECT):
            assert frame(page[:, :, None], contract).shape == (1, 28, 28)


def test_an_object_keeps_its_grey_values_and_fills_the_height():
    page = np.full((120, 100), 250, np.uint8)
    page[20:100, 40:60] = 150
    page[50:70, 40:60] = 50
    framed = frame(page[:, :, None], OBJECT)
    top, bottom, left, right = boxed(framed)
    assert (top, bottom) == (0, 27)
    assert (left, right) == (10, 16)  # 20 of 80 wide is 7 of 28, in the middle
    assert framed[0, 4, 13] == round((250 - 150) * 255 / 250)
    assert framed[0, 14, 13] == round((250 - 50) * 255 / 250)


def test_fit_keeps_what_has_the_size_and_pads_the_rest_with_the_borders_colour():
    contract = ImageContract(stored=(3, 20, 20), framing="fit")
    same = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)
    assert torch.equal(frame(same, contract), torch.tensor(same).permute(2, 0, 1))
    wide = np.full((10, 40, 3), (10, 200, 30), np.uint8)
    wide[4:6, 4:36] = 255
    wide[0, 0] = 0  # dust
    framed = frame(wide, contract)
    assert framed[:, 0, 19].tolist() == [10, 200, 30]
    assert framed[:, 19, 19].tolist() == [10, 200, 30]
    assert framed[0, 9, 10] > 200  # 40 x 10 is 20 x 5, from row 7 on


def test_an_unknown_framing_is_refused():
    with pytest.raises(UserError, match="'crop'; choose from digit, object, fit"):
        frame(np.zeros((2, 2, 1), np.uint8), ImageContract(framing="crop"))


def test_all_of_mnist_and_fashion_mnist_pass_unchanged(data_root: Path):
    for folder, contract in [("MNIST", DIGIT), ("FashionMNIST", OBJECT)]:
        pictures = read_images(data_root / folder / "raw" / "t10k-images-idx3-ubyte.gz")
        for pixels in pictures[:2000]:
            assert np.array_equal(frame(pixels[:, :, None], contract)[0].numpy(), pixels)


# to_input and the contract


def test_a_batch_is_normalised_and_padded():
    contract = ImageContract(input=(1, 32, 32), enlarge="pad", mean=0.5, std=0.25)
    batch = to_input(torch.full((2, 1, 28, 28), 255, dtype=torch.uint8), contract)
    assert batch.shape == (2, 1, 32, 32)
    assert batch[0, 0, 16, 16] == pytest.approx((1 - 0.5) / 0.25)
    assert batch[0, 0, 0, 0] == pytest.approx(-0.5 / 0.25)


@pytest.mark.parametrize(
    ("stored", "seen"),
    [
        ((1, 28, 28), (1, 224, 224)),
        ((1, 28, 28), (1, 96, 97)),
        ((3, 30, 40), (3, 64, 96)),
        ((3, 61, 50), (3, 33, 17)),  # smaller, so several pixels make one
    ],
)
def test_a_batch_is_resized_as_interpolate_does(stored, seen):
    pictures = torch.randint(0, 256, (5, *stored), dtype=torch.uint8)
    contract = ImageContract(stored=stored, input=seen, enlarge="resize", mean=0.25, std=0.5)
    expected = torch.nn.functional.interpolate(
        pictures.float(), size=seen[1:], mode="bilinear", antialias=True
    )
    for given in (pictures, pictures.float()):
        batch = to_input(given, contract)
        assert torch.allclose(batch, (expected / 255 - 0.25) / 0.5, rtol=1e-5, atol=1e-6)


def test_a_column_is_resized_as_computed_by_hand():
    """Two pixels become four: the outer ones lie beyond the centres, the inner at quarters."""
    pictures = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2, 1)
    contract = ImageContract(stored=(1, 2, 1), input=(1, 4, 1), enlarge="resize")
    assert to_input(pictures, contract).flatten().tolist() == pytest.approx([0, 0.25, 0.75, 1])


def test_what_is_given_stays_as_it_was():
    pictures = torch.full((1, 1, 28, 28), 100.0)
    to_input(pictures, ImageContract(mean=0.5))
    assert (pictures == 100).all()


def test_gradients_pass_a_resizing_that_inference_used_before():
    contract = ImageContract(stored=(1, 7, 7), input=(1, 9, 9), enlarge="resize")
    pictures = torch.ones(1, 1, 7, 7, requires_grad=True)
    with torch.inference_mode():
        to_input(pictures, contract)
    to_input(pictures, contract).sum().backward()
    assert pictures.grad.sum() * 255 == pytest.approx(81)  # rows of the matrices add up to 1


def test_a_contract_comes_back_from_json():
    contract = ImageContract(stored=(3, 64, 48), input=(3, 64, 48), framing="fit", mean=0.2)
    assert ImageContract.from_json(contract.to_json()) == contract
    with pytest.raises(UserError, match="the field 'tint', which this version does not know"):
        ImageContract.from_json({"tint": 1})


# old names, which work until version 0.3


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(
    "call",
    [
        lambda: decode(picture=np.zeros((2, 2), np.uint8), channels=1),
        lambda: images.measure(picture=png(np.zeros((2, 2), np.uint8))),
        lambda: to_input(pictures=torch.zeros(1, 1, 28, 28), contract=ImageContract()),
    ],
)
def test_the_old_parameter_names_work_and_warn(call):
    with pytest.warns(DeprecationWarning, match=r"'pictures?' of .* is now 'images?'"):
        assert call() is not None


@pytest.mark.parametrize(
    ("old", "new"), [("Picture", images.ImageLike), ("NotPicture", images.NotAnImage)]
)
def test_the_old_type_names_work_and_warn(old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now holmdel.images"):
        assert getattr(images, old) is new
