"""Documents: the pages of PDF, TIFF and GIF files, faxes, HEIC, JPEG XL, and faults."""

import io
import json
import struct
import sys
from types import SimpleNamespace

import numpy as np
import pillow_heif
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageDraw

from holmdel import UserError, read
from holmdel.images import decode, decode_page, pages


def line(text):
    page = Image.new("L", (120, 40), 230)
    ImageDraw.Draw(page).text((10, 4), text, fill=20, font_size=26)
    return page


def noise(height=300, width=200, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def save_pages(path, images, **options):
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


def pdf_of(body=b"", **entries):
    """The bytes of a PDF of one page that draws `body`; `entries` are of its page and trailer."""
    box = entries.get("box", b"[0 0 120 180]")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/MediaBox%s%s>>"
        % (box, entries.get("page", b"")),
        b"<</Length %d>>stream\n%s\nendstream" % (len(body), body),
        *entries.get("more", ()),
    ]
    file, places = b"%PDF-1.5\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size %d/Root 1 0 R%s>>" % (len(places) + 1, entries.get("trailer", b""))
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    return file + head + table + end + b"\nstartxref\n%d\n%%%%EOF" % len(file)


def scan_of(pixels, matrix, **entries):
    """The bytes of a PDF of a page with one image, placed by a matrix."""
    height, width = pixels.shape
    image = (
        b"<</Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8/Length %d>>"
    )
    stream = image % (width, height, pixels.size) + b"stream\n" + pixels.tobytes() + b"\nendstream"
    page = b"/Resources<</XObject<</I 5 0 R>>>>" + entries.pop("page", b"")
    return pdf_of(b"q %s cm /I Do Q" % matrix, page=page, more=[stream], **entries)


LOCKED = pdf_of(
    trailer=b"/ID[(a)(a)]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>"
    % (b"o" * 32, b"u" * 32)
)


def answers(text):
    return [json.loads(answer) for answer in text.splitlines()]


# Pages


def test_every_page_of_a_file_is_read(holmdel, model, tmp_path):
    path = save_pages(tmp_path / "batch.tif", [line("12"), line("345"), line("6")])
    words = ["--lines", "--model", model, "--format", "jsonl"]
    result = holmdel("read", path, *words)
    found = answers(result.out)
    assert [answer["path"] for answer in found] == [str(path), f"{path}#2", f"{path}#3"]
    assert [answer["page"] for answer in found] == [1, 2, 3]
    assert (result.status, result.err) == (0, "")
    [alone] = answers(holmdel("read", f"{path}#2", *words).out)
    assert alone == found[1]


@pytest.mark.parametrize("ending", ["tif", "gif", "pdf"])
def test_every_page_of_a_file_is_classified(holmdel, run_folder, tmp_path, ending):
    path = save_pages(tmp_path / f"batch.{ending}", [line("1"), line("2")])
    result = holmdel("predict", run_folder, path, "--format", "jsonl")
    assert [(a["path"], a["page"]) for a in answers(result.out)] == [
        (str(path), 1),
        (f"{path}#2", 2),
    ]


def test_a_page_that_a_file_does_not_have_is_one_sentence(tmp_path):
    path = save_pages(tmp_path / "batch.tif", [line("1"), line("2")])
    with pytest.raises(UserError, match=r"batch.tif#3 was given, page 3 of a file of 2 pages"):
        read(f"{path}#3")
    with pytest.raises(UserError, match=r"there is no file .*none.tif; check the name"):
        read(tmp_path / "none.tif#3")
    line("1").save(tmp_path / "a#3.png")  # a name is a name
    assert decode(tmp_path / "a#3.png", 1).shape == (40, 120, 1)


def test_a_small_copy_in_a_tiff_is_no_page(tmp_path):
    path = tmp_path / "scan.tif"
    copy, second = line("1").resize((12, 4)), line("2")
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    save_pages(path, [line("1"), copy, second])
    assert list(pages(path)) == [path, f"{path}#2"]
    assert decode_page(path, 1).page == 1
    assert (decode(f"{path}#2", 1)[:, :, 0] == np.asarray(second)).all()


def tiff_of(*frames):
    """A TIFF of 20x30 pixels a frame: a grey, tag 262 (photometric), tag 254 (kind of frame)."""
    file = b"II*\0" + struct.pack("<I", 8)
    for place, (grey, photometric, kind) in enumerate(frames, 1):
        pixels = bytes([grey]) * 600
        tags = {
            254: kind,
            256: 30,
            257: 20,
            258: 8,
            259: 1,
            262: photometric,
            273: 0,
            277: 1,
            279: 600,
        }
        tags[273] = len(file) + 2 + 12 * len(tags) + 4
        following = tags[273] + 600 if place < len(frames) else 0
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        file += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + pixels
    return file


def test_a_mask_is_no_page_and_a_page_that_is_damaged_costs_no_other():
    """PIL knows no image of photometric 4, a mask, and nobody one of 99."""
    file = tiff_of((1, 1, 0), (2, 4, 4), (3, 1, 0), (4, 99, 0), (5, 1, 0))
    first, second, third, fourth = pages(file)
    assert [decode(page, 1)[0, 0, 0] for page in (first, second, fourth)] == [1, 3, 5]
    with pytest.raises(UserError, match="page 3 of the file is cut short or damaged"):
        decode(third, 1)


def test_a_file_of_one_page_has_no_page_number(tmp_path):
    for ending in ("tif", "gif", "pdf", "png"):
        line("1").save(tmp_path / f"a.{ending}")
        assert decode_page(tmp_path / f"a.{ending}", 1).page is None


def test_an_interrupted_document_is_gone_on_with_at_its_page(holmdel, model, tmp_path):
    path = save_pages(tmp_path / "batch.pdf", [line(str(number)) for number in range(4)])
    words = ["read", path, "--lines", "--model", model, "--jobs", 1, "--out"]
    assert holmdel(*words, tmp_path / "whole.jsonl").status == 0
    content = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "part.jsonl").write_bytes(content[: len(content) // 2])
    assert holmdel(*words, tmp_path / "part.jsonl", "--resume").status == 0
    assert (tmp_path / "part.jsonl").read_bytes() == content
    assert len(content.splitlines()) == 4


def test_a_document_may_come_by_standard_input(holmdel, model, tmp_path, monkeypatch):
    path = save_pages(tmp_path / "a.pdf", [line("1"), line("2")])
    content = SimpleNamespace(buffer=io.BytesIO(path.read_bytes()))
    monkeypatch.setattr(sys, "stdin", content)
    words = ["--lines", "--model", model, "--format", "jsonl"]
    found = answers(holmdel("read", "-", *words).out)
    assert [(answer["path"], answer["page"]) for answer in found] == [("-", 1), ("-#2", 2)]


# PDF


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("matrix", "placed"),
    [
        (b"100 0 0 150 13.3 7.7", lambda scan: scan),
        (b"0 150 -100 0 113.3 7.7", np.rot90),
        (b"100 0 0 -150 13.3 157.7", np.flipud),
    ],
)
def test_a_scanned_page_has_the_pixels_of_the_scan_turned_as_the_page_says(matrix, placed, turns):
    scan = noise(300, 300)
    file = scan_of(scan, matrix, page=b"/CropBox[5 5 118 170]/Rotate %d" % (90 * turns))
    found = decode(file, 1)[:, :, 0]
    expected = np.rot90(placed(scan), -turns)
    windows = np.lib.stride_tricks.sliding_window_view(found, expected.shape)
    assert (windows[windows[:, :, 0, 0] == expected[0, 0]] == expected).all(axis=(1, 2)).any()


def test_a_scan_of_a4_keeps_its_size(tmp_path):
    scan = Image.fromarray(noise(1754, 1240)).point(lambda grey: 255 * (grey > 128)).convert("1")
    scan.save(tmp_path / "a4.pdf", resolution=150)
    assert (decode(tmp_path / "a4.pdf", 1)[:, :, 0] == np.asarray(scan) * np.uint8(255)).all()


def test_what_lies_above_a_scan_is_seen():
    file = scan_of(np.full((300, 200), 200, np.uint8), b"120 0 0 180 0 0")
    noted = file.replace(b"/I Do Q", b"/I Do Q 9 9 9 9 re f")
    assert decode(pdf_of(), 1).min() == 255
    assert decode(file, 1).min() == 200
    assert decode(noted[: noted.index(b"xref")] + b"trailer<</Root 1 0 R>>", 1).min() == 0


def test_a_page_that_is_no_scan_is_drawn_at_200_dpi():
    found = decode(pdf_of(b"36 36 36 36 re f", box=b"[0 0 144 72]"), 1)[:, :, 0]
    assert found.shape == (200, 400)
    assert (found[:100, 100:200] == 0).all()
    assert (found == 255).sum() == 200 * 400 - 100 * 100


def test_each_unusable_pdf_is_one_sentence_and_the_others_are_read(holmdel, model, tmp_path):
    document = pdfium.PdfDocument.new()
    for _ in range(10_000):
        document.new_page(100, 100)
    document.save(tmp_path / "long.pdf")
    good = save_pages(tmp_path / "good.pdf", [line("1"), line("2")])
    for name, content in [
        ("huge.pdf", pdf_of(box=b"[0 0 14400 14400]")),
        ("cut.pdf", good.read_bytes()[:200]),
        ("locked.pdf", LOCKED),
    ]:
        (tmp_path / name).write_bytes(content)
    names = ["huge.pdf", "cut.pdf", "long.pdf", "locked.pdf", "good.pdf"]
    words = [*(tmp_path / name for name in names), "--lines", "--model", model, "--format", "jsonl"]
    result = holmdel("read", *words)
    huge, cut, long, locked, *read_ = answers(result.out)
    assert "has 40000 x 40000 pixels, where 100,000,000 are the most" in huge["error"]
    assert "is cut short or damaged" in cut["error"]
    assert "has 10,000 pages, where 5,000 are the most; split it" in long["error"]
    assert "is locked with a password" in locked["error"]
    assert [answer["page"] for answer in read_] == [1, 2]
    assert result.status == 1
    assert decode(f"{tmp_path}/long.pdf#9999", 1).shape == (278, 278, 1)


# Pixels


@pytest.mark.parametrize("ending", ["tif", "png", "jpg"])
def test_a_fax_is_stretched_and_boxes_are_in_its_own_pixels(tmp_path, ending):
    fax = line("407").resize((240, 40)).convert("1").convert("L")
    fax.save(tmp_path / f"fax.{ending}", dpi=(204, 98))
    found = decode_page(tmp_path / f"fax.{ending}", 1)
    assert found.stretch == pytest.approx((1, 204 / 98), rel=1e-3)
    assert found.pixels.shape == (40, 240, 1)
    assert found.squared().shape == (83, 240, 1)
    fax.save(tmp_path / f"plain.{ending}", dpi=(204, 196))
    assert decode_page(tmp_path / f"plain.{ending}", 1).stretch == (1, 1)


def test_boxes_on_a_fax_are_in_its_own_pixels(model, tmp_path):
    line("407").resize((240, 40)).save(tmp_path / "fax.tif", dpi=(98, 204))
    [found] = read(tmp_path / "fax.tif", lines=True, model=model).lines
    for x, y, w, h in (found.box, *(digit.box for digit in found.digits)):
        assert 0 <= x < x + w <= 240
        assert 0 <= y < y + h <= 40


@pytest.mark.parametrize("ink", [(255, 255, 255), (0, 0, 0), (90, 90, 90)])
def test_ink_that_is_in_the_alpha_channel_alone_is_dark(ink):
    alpha = np.asarray(line("7").point(lambda grey: 255 - grey))
    image = np.dstack([np.broadcast_to(np.uint8(ink), (*alpha.shape, 3)), alpha])
    assert (decode(image, 1)[:, :, 0] == 255 - alpha).all()


# Formats that take a decoder


@pytest.mark.parametrize(
    ("ending", "module", "title", "extra"),
    [("heic", "pillow_heif", "HEIC", "heic"), ("jxl", "pillow_jxl", "JPEG XL", "jxl")],
)
def test_a_format_without_its_decoder_says_what_to_install(
    tmp_path, monkeypatch, ending, module, title, extra
):
    path = tmp_path / f"photo.{ending}"
    pillow_heif.register_heif_opener()
    __import__("pillow_jxl")
    line("1").convert("RGB").save(path, quality=95)
    assert np.abs(decode(path, 1)[:, :, 0].astype(int) - np.asarray(line("1"))).mean() < 4
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"is a {title} image, .* install 'holmdel\[{extra}\]'"):
        decode(path, 1)


@pytest.mark.parametrize("name", ["photo.jxl", "photo.heic", "scan.tiff", "scan.pdf"])
def test_a_damaged_file_of_any_format_is_one_sentence(tmp_path, name):
    """Whatever its decoder says: some say a paragraph."""
    pillow_heif.register_heif_opener()
    __import__("pillow_jxl")
    line("1").convert("RGB").save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError) as caught:
        decode(tmp_path / name, 1)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / name} is cut short or damaged (")
    assert said.endswith("); copy it again")
    assert ". " not in said


# Folders


def test_a_folder_says_what_it_passed_over(holmdel, run_folder, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("a.pgm", "b.gif", "c.jp2", "d.avif"):
        line("1").convert("RGB" if name.endswith("avif") else "L").save(scans / name)
    for name in ("notes.txt", "more.txt", "README"):
        (scans / name).write_text("seven")
    result = holmdel("predict", run_folder, scans, "--format", "jsonl")
    assert [answer["path"][-5:] for answer in answers(result.out)] == [
        "a.pgm",
        "b.gif",
        "c.jp2",
        ".avif",
    ]
    assert result.err == f"{scans}: passed over: 3 files (.txt no ending)\n"
