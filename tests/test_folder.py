"""A folder of images as a data set: its cache, and an error for each fault."""

import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from holmdel.data import load
from holmdel.data.folder import verify_folder
from holmdel.data.roots import user_cache
from holmdel.errors import UserError


@pytest.fixture
def cache():
    """The user's cache of this test."""
    return user_cache()


@pytest.fixture
def parts(tmp_path):
    """A folder of bolts (white squares) and nuts (white squares with a hole), 28x28 PNG."""
    root = tmp_path / "parts"
    for split, count in (("train", 3), ("test", 2)):
        for name in ("bolt", "nut"):
            for number in range(count):
                draw(root / split / name / f"{number}.png", hole=name == "nut", number=number)
    return root


def draw(path, hole=False, number=0, size=(28, 28), mode="L"):
    picture = np.zeros((28, 28), np.uint8)
    picture[8:20, 8:20] = 255 - number
    if hole:
        picture[12:16, 12:16] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).resize(size).convert(mode).save(path)


def test_a_folder_is_a_data_set(parts):
    data = load(str(parts))
    assert data.classes == ("bolt", "nut")
    assert (data.name, data.framing) == (str(parts), "fit")
    assert data.train.images.shape == (6, 1, 28, 28)
    assert data.train.images.dtype == torch.uint8
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.test.labels.tolist() == [0, 0, 1, 1]
    middle = data.train.images[:, 0, 14, 14].tolist()
    assert middle == [255, 254, 253, 0, 0, 0]


def test_pictures_of_any_size_and_kind_come_to_one_size(parts):
    for ending, size, mode in (
        ("JPG", (100, 60), "RGB"),
        ("bmp", (5, 9), "L"),
        ("tiff", (28, 300), "RGB"),
        ("webp", (64, 64), "RGBA"),
    ):
        draw(parts / "train" / "nut" / f"x.{ending}", size=size, mode=mode)
    assert load(str(parts)).train.images.shape == (10, 1, 28, 28)
    colour = load(str(parts), input=(3, 32, 48)).train.images
    assert colour.shape == (10, 3, 32, 48)
    assert torch.equal(colour[0, 0], colour[0, 2])


def test_hidden_files_and_other_endings_are_passed_over(parts):
    bolts = parts / "train" / "bolt"
    (bolts / ".hidden.png").write_bytes(b"not a picture")
    (bolts / "notes.txt").write_text("not a picture")
    draw(parts / "train" / ".ipynb_checkpoints" / "0.png")
    assert len(load(str(parts)).train) == 6


def test_images_in_deeper_folders_belong_to_their_class_folder(parts):
    draw(parts / "train" / "bolt" / "monday" / "box 2" / "0.png")
    (parts / "train" / "bolt" / "monday" / "again").symlink_to(parts / "train" / "bolt")
    assert load(str(parts)).train.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]


def flat(folder, counts):
    """Writes a folder with class folders alone: squares with and without holes."""
    for name, count in counts.items():
        for number in range(count):
            draw(folder / name / f"{number}.png", hole="nut" in name, number=number)
    return folder


def test_class_folders_alone_are_split_the_same_way_every_time(tmp_path):
    folder = flat(tmp_path / "my parts", {"bolt": 20, "big nut": 10, "odd one": 1})
    data = load(str(folder))
    assert data.classes == ("big nut", "bolt", "odd one")
    assert data.train.labels.bincount().tolist() == [8, 16, 1]
    assert data.test.labels.bincount().tolist() == [2, 4]
    assert torch.equal(load(str(folder)).test.images, data.test.images)
    assert "there is no test part, so 6 images are put aside as one" in data.notes
    assert "too few images to test on of odd one: all are trained on" in data.notes
    assert len(load(str(folder), test=0.5).test) == 15
    assert len(load(str(folder), test=1).test) == 31


def test_a_training_part_alone_is_split_too(parts):
    shutil.rmtree(parts / "test")
    data = load(str(parts))
    assert (len(data.train), len(data.test)) == (4, 2)


def test_other_names_of_the_test_part_and_one_more_folder_around(parts, tmp_path):
    (parts / "test").rename(parts / "Val")
    assert len(load(str(tmp_path / "parts")).test) == 4
    parts.rename(tmp_path / "inner")
    (tmp_path / "archive").mkdir()
    (tmp_path / "inner").rename(tmp_path / "archive" / "inner")
    assert len(load(str(tmp_path / "archive")).test) == 4


def test_what_is_not_used_is_said(tmp_path):
    folder = flat(tmp_path / "parts", {"bolt": 5, "nut": 5})
    draw(folder / "logo.png")
    (folder / "new folder").mkdir()
    assert load(str(folder)).notes[:2] == (
        f"passed over: 1 image of {folder} beside the class folders",
        f"passed over: the folder {folder}/new folder, which holds no images",
    )


def test_limit_takes_a_part_of_each_class(parts):
    """Not the first ones, which are all of one class."""
    data = load(str(parts))
    assert data.train.take(2).labels.tolist() == [0, 1]
    assert data.train.take(3).labels.bincount().tolist() in ([2, 1], [1, 2])
    assert torch.equal(data.train.take(3).images, data.train.take(3).images)
    assert len(data.train.take(6)) == len(data.train.take(None)) == 6
    assert len(data.train.take(1)) == 1


def spoil(parts, count):
    files = sorted((parts / "train").glob("*/*.png"))[:count]
    for path in files:
        path.write_bytes(path.read_bytes()[:60])
    return files


def test_the_first_five_broken_files_are_named_at_once(parts):
    for number in range(10, 16):
        draw(parts / "train" / "bolt" / f"{number}.png")
    spoiled = spoil(parts, 7)
    with pytest.raises(UserError) as error:
        load(str(parts))
    sentence = str(error.value)
    assert sentence.startswith("7 of 16 images cannot be used (")
    assert sum(str(path) in sentence for path in spoiled) == 5
    assert sentence.endswith("; ...); remove them, or leave them out with --skip-broken")


def test_broken_files_are_left_out_if_asked_and_that_is_said(parts):
    spoil(parts, 1)
    data = load(str(parts), skip_broken=True)
    assert data.train.labels.tolist() == [0, 0, 1, 1, 1]
    assert data.notes[0].startswith("left out: 1 of 10 images cannot be used (")
    assert torch.equal(load(str(parts), skip_broken=True).train.images, data.train.images)


def test_a_class_of_broken_files_alone_is_left_out(tmp_path):
    folder = flat(tmp_path / "parts", {"bolt": 5, "nut": 5, "odd": 2})
    for path in (folder / "odd").iterdir():
        path.write_bytes(b"no picture")
    data = load(str(folder), skip_broken=True)
    assert data.classes == ("bolt", "nut")
    assert "left out: the classes odd, of which no training image is left" in data.notes


def test_photographs_of_digits_are_cut_out_and_parts_are_not(tmp_path):
    digits = load("digits").test
    for number, label in enumerate(digits.labels[:40].tolist()):
        page = Image.new("L", (120, 160), 230)
        ink = Image.fromarray(digits.images[number, 0].numpy()).resize((84, 84))
        page.paste(40, (20, 50), ink)
        path = tmp_path / "photos" / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.save(path)
    assert load(str(tmp_path / "photos"), framing="auto").framing == "digit"
    assert load(str(tmp_path / "photos")).framing == "fit"
    parts = flat(tmp_path / "parts", {"bolt": 3, "nut": 3})
    assert load(str(parts), framing="auto").framing == "fit"


def test_faxes_are_trained_on_as_they_are_predicted(tmp_path):
    """A fax is finer across than down; stretched it is the image that it was made from."""
    plain, faxes = flat(tmp_path / "plain", {"a": 3, "b": 3}), tmp_path / "faxes"
    for path in sorted(plain.rglob("*.png")):
        fax = faxes / path.parent.name / f"{path.stem}.tif"
        fax.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            doubled = image.resize((2 * image.width, image.height), Image.Resampling.NEAREST)
        doubled.save(fax, dpi=(200, 100))
    there, here = load(str(plain)).train.images.int(), load(str(faxes)).train.images.int()
    assert int((there - here).abs().max()) < 40  # where edges are smoothed; flat it would be 255


def test_links_are_followed(parts, tmp_path):
    (parts / "train" / "nut").rename(tmp_path / "elsewhere")
    (parts / "train" / "nut").symlink_to(tmp_path / "elsewhere")
    (parts / "train" / "bolt" / "link.png").symlink_to(tmp_path / "elsewhere" / "0.png")
    assert load(str(parts)).train.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]


def decoded(folder, **options):
    """Returns the data set, and how many pictures were decoded for it."""
    told = []
    data = load(str(folder), progress=lambda *what: told.append(what), **options)
    assert told == [("decoding", i + 1, len(told)) for i in range(len(told))]
    return data, len(told)


def test_a_folder_is_decoded_once(parts):
    first, count = decoded(parts)
    again, none = decoded(parts)
    assert (count, none) == (10, 0)
    assert torch.equal(first.train.images, again.train.images)
    assert torch.equal(first.test.images, again.test.images)
    again.train.images.zero_()  # the pictures in memory are one's own
    assert torch.equal(load(str(parts)).train.images, first.train.images)


def test_another_size_has_another_cache(parts, cache):
    decoded(parts)
    assert decoded(parts, input=(1, 14, 14))[1] == 10
    assert decoded(parts)[1] == 0
    assert len(list(cache.rglob("*.safetensors"))) == 2


def change_content(parts):
    draw(parts / "train" / "nut" / "0.png", size=(90, 90))


def change_time(parts):
    os.utime(parts / "train" / "nut" / "0.png", (0, 0))


def change_name(parts):
    (parts / "train" / "nut" / "0.png").rename(parts / "train" / "nut" / "9.png")


def change_class(parts):
    (parts / "train" / "nut" / "0.png").rename(parts / "train" / "bolt" / "9.png")


@pytest.mark.parametrize("change", [change_content, change_time, change_name, change_class])
def test_a_changed_folder_is_decoded_again_into_the_same_place(parts, cache, change):
    decoded(parts)
    change(parts)
    assert decoded(parts)[1] == 10
    assert decoded(parts)[1] == 0
    assert len(list(cache.rglob("*.*"))) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "foreign"])
def test_a_damaged_cache_is_made_again(parts, cache, damage):
    before = load(str(parts)).train.images
    (file,) = cache.rglob("*.safetensors")
    data = file.read_bytes()
    flipped = data[:-400] + bytes([data[-400] ^ 1]) + data[-399:]
    damaged = {"cut": data[:-9], "flipped": flipped, "emptied": b"", "foreign": b"PK" * 99}
    file.write_bytes(damaged[damage])
    after, count = decoded(parts)
    assert count == 10
    assert torch.equal(after.train.images, before)
    assert decoded(parts)[1] == 0


def test_a_cache_that_cannot_be_written_is_no_error(parts, cache):
    cache.parent.mkdir()
    cache.write_text("a file where a folder should be")
    assert len(load(str(parts)).train) == 6
    assert decoded(parts)[1] == 10


FAULTS = {
    "train": r"parts has no folder 'train'; expected train/CLASS/\*.png in it; put about a fifth",
    "test/*": "parts/test has no class folders with images in it; expected those of .*/train",
    "train/bolt": "parts/train has one class with images, 'nut'; expected two or more",
    "*/nut": "parts/train has one class with images, 'bolt'; expected two or more; make a folder",
    "train/*/*": "parts/train has no class folders with images in it; .* files ending in .png",
}


@pytest.mark.parametrize("lost", FAULTS)
def test_what_lacks_is_told_in_one_sentence(parts, lost):
    for path in parts.glob(lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match=FAULTS[lost]):
        load(str(parts))


def test_a_class_of_the_test_part_alone_is_a_mistake(parts):
    draw(parts / "test" / "Nut" / "0.png")
    with pytest.raises(UserError, match=r"train lacks images of the classes Nut, which .*test has"):
        load(str(parts))


def test_a_class_that_is_not_tested_is_said(parts):
    shutil.rmtree(parts / "test" / "nut")
    data = load(str(parts))
    assert data.test.labels.tolist() == [0, 0]
    assert f"{parts}/test has no images of nut" in data.notes


def test_a_broken_picture_is_named(parts):
    broken = parts / "test" / "nut" / "1.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(UserError, match=r"test/nut/1\.png"):
        load(str(parts))
    verdicts = verify_folder(parts)
    assert len(verdicts) == 10
    assert [verdict.path for verdict in verdicts if not verdict.right] == [broken]


def test_a_class_that_is_a_file_is_none(parts):
    (parts / "train" / "README").write_text("about these pictures")
    assert load(str(parts)).classes == ("bolt", "nut")


@pytest.mark.parametrize("name", ["absent", "absent/", "absent.csv", "../absent"])
def test_a_folder_or_file_that_is_not_there_is_told(tmp_path, name):
    given = f"{tmp_path}/{name}"
    with pytest.raises(UserError) as told:
        load(given)
    assert str(told.value).startswith(f"there is no file or folder {given}; expected a folder")


def test_one_list_of_endings_and_a_line_on_what_is_passed_over(parts, holmdel):
    draw(parts / "train" / "bolt" / "9.pgm")
    draw(parts / "test" / "nut" / "9.gif")
    (parts / "train" / "nut" / "notes.txt").write_text("made on Monday")
    (parts / "train" / "nut" / "9.psd").write_bytes(b"8BPS")
    assert len(load(str(parts)).train) == 7
    assert len(load(str(parts)).test) == 5
    result = holmdel("data", "verify", parts)
    assert "9.pgm: an image of 28x28" in result.out
    assert result.err == f"{parts}: passed over: 2 files (.psd .txt)\n"


def test_each_page_of_a_file_is_an_image_of_its_class(parts):
    pages = [Image.fromarray(np.full((28, 28), grey, np.uint8)) for grey in (10, 20, 30)]
    pages[0].save(parts / "train" / "nut" / "z.tif", save_all=True, append_images=pages[1:])
    data = load(str(parts))
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert data.train.images[-3:, 0, 14, 14].tolist() == [10, 20, 30]
