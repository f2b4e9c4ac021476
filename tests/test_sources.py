"""Named data sets: found in data roots, downloaded from mirrors good and bad, verified."""

import gzip
import hashlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch

from holmdel.data import SOURCES, idx, load, names, roots
from holmdel.data.digits import enlarge
from holmdel.data.loading import load_named
from holmdel.data.roots import verify
from holmdel.data.sources import Source, SourceFile
from holmdel.errors import UserError

NOISE = np.random.default_rng(0).integers(0, 256, (30, 28, 28), np.uint8)
VALUES = {
    "train-images": NOISE[:20],
    "train-labels": np.arange(20, dtype=np.uint8) % 10,
    "t10k-images": NOISE[20:],
    "t10k-labels": np.arange(10, dtype=np.uint8),
}
COUNT = len(VALUES)


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch):
    """Without a data set, and without a proxy."""
    for name in ("HOLMDEL_DATA", "HOLMDEL_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def published(tmp_path):
    """The folder that the mirrors show: the four files of a small data set."""
    folder = tmp_path / "published"
    folder.mkdir()
    for name, values in VALUES.items():
        idx.write(folder / f"{name}.gz", values)
    return folder


@pytest.fixture
def mini(published):
    """That data set: 20 + 10 pictures, known by their uncompressed bytes."""
    return source(SourceFile(name, *known(published, name)) for name in VALUES)


@pytest.fixture
def mirror(published):
    """A web server, with a mirror a way of behaving: `mirror.url('good')`."""
    server = Mirror(published)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def source(files):
    digits = tuple("0123456789")
    return Source("mini", "Mini", "Mini", digits, "digit", ("http://127.0.0.1:1/",), tuple(files))


def known(published, name):
    data = gzip.decompress((published / f"{name}.gz").read_bytes())
    return len(data), hashlib.sha256(data).hexdigest()


def dead():
    """Returns a mirror at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/"


class Mirror(ThreadingHTTPServer):
    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder = folder
        self.ranges = []  # the Range header of each request

    def url(self, behaviour):
        return f"http://127.0.0.1:{self.server_port}/{behaviour}/"


class Answer(BaseHTTPRequestHandler):
    """good, plain (knows no Range), halving (cuts the first answer), stingy (9 bytes), wrong."""

    def do_GET(self):
        _, behaviour, *path = self.path.split("/")
        self.server.ranges.append(self.headers["Range"])
        file = self.server.folder.joinpath(*path)
        if not file.is_file():
            return self.send_error(404)
        data = gzip.compress(b"sorry") if behaviour == "wrong" else file.read_bytes()
        start = int((self.headers["Range"] or "bytes=0-")[6:-1]) if behaviour != "plain" else 0
        if start and start >= len(data):
            return self.send_error(416)
        rest = data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        cuts = {"halving": None if start else len(rest) // 2, "stingy": 9}
        self.wfile.write(rest[: cuts.get(behaviour)])
        return None

    def log_message(self, *args):
        pass


def assert_whole(place, mini):
    """Raises unless the data set in a data root is the published one, and nothing else is there."""
    data = load_named(mini, place)
    assert np.array_equal(data.train.images.squeeze(1).numpy(), VALUES["train-images"])
    assert data.test.labels.tolist() == list(range(10))
    assert len(list(mini.raw(place).iterdir())) == COUNT


def test_a_set_is_fetched_and_loaded(mini, mirror, tmp_path):
    place = roots.fetch(mini, tmp_path / "root", [mirror.url("good")])
    assert place == tmp_path / "root"
    assert_whole(place, mini)
    data = load_named(mini, place)
    assert data.train.images.dtype == torch.uint8
    assert data.train.images.shape == (20, 1, 28, 28)
    assert data.train.labels.dtype == torch.int64


@pytest.mark.parametrize("first", ["dead", "wrong", "stingy", "absent/folder"])
def test_a_bad_first_mirror_is_made_up_for_by_the_second(first, mini, mirror, tmp_path):
    bad = dead() if first == "dead" else mirror.url(first)
    assert_whole(roots.fetch(mini, tmp_path, [bad, mirror.url("good")]), mini)


def test_a_cut_connection_is_resumed_where_it_was_cut(mini, mirror, published, tmp_path):
    half = (published / "train-images.gz").stat().st_size // 2
    assert_whole(roots.fetch(mini, tmp_path, [mirror.url("halving")]), mini)
    assert mirror.ranges[:2] == [None, f"bytes={half}-"]


def test_what_has_arrived_is_kept_for_the_next_call(mini, mirror, tmp_path):
    with pytest.raises(UserError, match=r"could not be downloaded .* cut again and again"):
        roots.fetch(mini, tmp_path, [mirror.url("stingy")])
    assert mirror.ranges == [None, "bytes=9-", "bytes=18-", "bytes=27-"]
    mirror.ranges.clear()
    assert_whole(roots.fetch(mini, tmp_path, [mirror.url("good")]), mini)
    assert mirror.ranges == ["bytes=36-", None, None, None]


def part(mini, root, data):
    """Leaves what an earlier download of the first file might have left."""
    mini.raw(root).mkdir(parents=True)
    (mini.raw(root) / "train-images.gz.part").write_bytes(data)


def test_a_server_that_knows_no_range_starts_again(mini, mirror, tmp_path):
    part(mini, tmp_path, b"some bytes")
    assert_whole(roots.fetch(mini, tmp_path, [mirror.url("plain")]), mini)
    assert mirror.ranges == ["bytes=10-", None, None, None]  # not asked again


def test_a_half_that_does_not_fit_is_fetched_anew(mini, mirror, tmp_path):
    part(mini, tmp_path, b"half of another gzip file")
    assert_whole(roots.fetch(mini, tmp_path, [mirror.url("good")]), mini)
    assert mirror.ranges[:2] == ["bytes=25-", None]


def test_a_part_that_was_complete_is_kept(mini, mirror, published, tmp_path):
    part(mini, tmp_path, (published / "train-images.gz").read_bytes())
    assert_whole(roots.fetch(mini, tmp_path, [mirror.url("good")]), mini)
    assert len(mirror.ranges) == COUNT


def test_only_what_lacks_is_fetched(mini, mirror, tmp_path):
    roots.fetch(mini, tmp_path, [mirror.url("good")])
    (mini.raw(tmp_path) / "t10k-labels.gz").unlink()
    mirror.ranges.clear()
    assert_whole(roots.fetch(mini, tmp_path, [mirror.url("good")]), mini)
    assert len(mirror.ranges) == 1


def test_two_that_fetch_at_once_download_once(mini, mirror, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(roots.fetch, mini, tmp_path, [mirror.url("good")]) for _ in "ab"]
    assert [call.result() for call in calls] == [tmp_path, tmp_path]
    assert_whole(tmp_path, mini)
    assert mirror.ranges == [None] * COUNT


def test_wrong_bytes_are_refused_and_not_kept(mini, mirror, tmp_path):
    sentence = "is not the official train-images: 5 bytes uncompressed, with SHA-256 .*; expected"
    with pytest.raises(UserError, match=sentence):
        roots.fetch(mini, tmp_path, [mirror.url("wrong")])
    assert list(mini.raw(tmp_path).iterdir()) == []


def test_progress_counts_up_to_the_size_of_each_file(mini, mirror, published, tmp_path):
    told = []
    roots.fetch(mini, tmp_path, [mirror.url("good")], lambda *what: told.append(what))
    sizes = {f"{name}.gz": (published / f"{name}.gz").stat().st_size for name in VALUES}
    assert [name for name, done, total in told if done == total] == list(sizes)
    assert all(0 < done <= total == sizes[name] for name, done, total in told)


def test_every_mirror_that_failed_is_told_with_its_reason(mini, mirror, tmp_path):
    sentence = r"train-images.gz could not be .*: Connection refused; .*absent/train.*: 404 Not"
    with pytest.raises(UserError, match=sentence):
        roots.fetch(mini, tmp_path, [dead(), mirror.url("good") + "absent/"])


def test_a_data_root_that_cannot_be_written_to(mini, mirror, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"raw cannot be written to .*; give another data root"):
        roots.fetch(mini, tmp_path / "file", [mirror.url("good")])


def test_where_only_the_archives_checksum_is_published(mini, mirror, published, tmp_path):
    def archived(name):
        digest = hashlib.sha256((published / f"{name}.gz").read_bytes()).hexdigest()
        return SourceFile(name, known(published, name)[0], archive_sha256=digest)

    kept = source(archived(name) for name in VALUES)
    place = roots.fetch(kept, tmp_path, [mirror.url("good")])
    assert {v.text for v in verify(kept, place)} == {"the official archive, by its SHA-256"}
    with pytest.raises(UserError, match=r"not the official train-images.gz; expected the archive"):
        roots.fetch(kept, tmp_path / "other", [mirror.url("wrong")])

    raw = kept.raw(tmp_path)  # unpacked, as other tools leave it
    for name, values in VALUES.items():
        (raw / f"{name}.gz").unlink()
        idx.write(raw / name, values)
    verdicts = verify(kept, place)
    assert all(verdict.right for verdict in verdicts)
    assert verdicts[0].text == (
        "20 images of 28x28, as expected; no checksum of the plain file is published"
    )
    idx.write(raw / "t10k-images", VALUES["t10k-images"].reshape(10, 14, 56))
    idx.write(raw / "t10k-labels", np.array([3], np.uint8))
    texts = [verdict.text for verdict in verify(kept, place) if not verdict.right]
    assert texts == [
        "holds images of 14x56; expected 28x28",
        "has 9 bytes uncompressed; expected 18",
    ]


def test_verdicts_tell_what_is_wrong_with_each_file(mini, mirror, tmp_path):
    roots.fetch(mini, tmp_path, [mirror.url("good")])
    raw = mini.raw(tmp_path)
    (raw / "train-labels.gz").write_bytes(b"\x1f\x8b")
    (raw / "t10k-images.gz").unlink()
    idx.write(raw / "t10k-labels.gz", VALUES["train-labels"])
    verdicts = verify(mini, tmp_path)
    assert [verdict.right for verdict in verdicts] == [True, False, False, False]
    starts = ["the official file", "is cut off in the", "missing", "is not the official t10k-la"]
    for verdict, start in zip(verdicts, starts, strict=True):
        assert verdict.text.startswith(start)


def test_roots_are_searched_in_turn_and_need_the_whole_set(mini, mirror, tmp_path, monkeypatch):
    cache = roots.fetch(mini, None, [mirror.url("good")])
    assert cache == roots.user_cache()
    assert tmp_path / "home" in cache.parents
    named = tmp_path / "named"
    monkeypatch.setenv("HOLMDEL_DATA", str(named))
    assert roots.roots() == [named, cache]
    assert roots.find(mini) == mini.raw(cache)
    roots.fetch(mini, named, [mirror.url("good")])
    assert roots.find(mini) == mini.raw(named)
    (mini.raw(named) / "t10k-labels.gz").unlink()
    assert roots.find(mini) == mini.raw(cache)


def test_a_data_root_that_is_given_is_the_only_one(tmp_path, monkeypatch):
    """Otherwise a slip of the pen means another set, and nobody notices."""
    small(tmp_path / "elsewhere" / "MNIST" / "raw")
    monkeypatch.setenv("HOLMDEL_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match=r"MNIST was not found in .*given/MNIST/raw, nor"):
        load("mnist", root=tmp_path / "given")
    assert not (tmp_path / "given").exists()
    assert len(load("mnist").train) == 2


def small(folder, source=SOURCES["mnist"], names=str, first=0, images=None):
    """Writes the four files of a set with two images in each part."""
    folder.mkdir(parents=True)
    images = np.zeros((2, 28, 28), np.uint8) if images is None else images
    labels = first + np.arange(len(images), dtype=np.uint8) % 2
    for file in source.files:
        path = folder / names(file.name)
        path.parent.mkdir(exist_ok=True)
        idx.write(path, images if "images" in file.name else labels)


@pytest.mark.parametrize(
    ("place", "root"),
    [
        ("MNIST/raw", ""),
        ("MNIST/raw", "MNIST"),
        ("MNIST/raw", "MNIST/raw"),
        ("MNIST", ""),
        ("mnist", ""),
        ("flat", "flat"),
        ("flat/raw", "flat"),
    ],
)
def test_the_files_are_found_where_people_have_them(tmp_path, place, root):
    small(tmp_path / place)
    data = load("mnist", root=tmp_path / root)
    assert (len(data.train), data.origin) == (2, str(tmp_path / place))
    assert data.provenance == f"mnist: 2 + 2 images from {tmp_path / place}"


@pytest.mark.parametrize(
    "names", [lambda name: name.replace("-idx", ".idx"), lambda name: f"{name}/{name}"]
)
def test_the_files_are_found_under_the_names_of_archives(tmp_path, names):
    small(tmp_path / "archive", names=names)
    assert len(load("mnist", root=tmp_path / "archive").test) == 2


def test_the_files_of_another_set_are_not_taken(tmp_path):
    small(tmp_path / "MNIST" / "raw")
    for root in (tmp_path / "MNIST", tmp_path / "MNIST" / "raw"):
        with pytest.raises(UserError, match="Fashion-MNIST was not found in"):
            load("fashion-mnist", root=root)


def test_letters_of_emnist_are_upright_and_begin_with_a(tmp_path):
    """In its files rows and columns are exchanged, and letters are counted from 1."""
    written = np.zeros((2, 28, 28), np.uint8)
    written[:, 4:24, 14] = 255  # a stroke down
    small(tmp_path / "gzip", SOURCES["emnist-letters"], first=1, images=written.transpose(0, 2, 1))
    data = load("emnist-letters", root=tmp_path)
    assert np.array_equal(data.train.images[:, 0].numpy(), written)
    assert [data.classes[label] for label in data.train.labels] == ["a", "b"]


def test_labels_of_qmnist_are_the_first_column(tmp_path):
    small(tmp_path / "QMNIST", SOURCES["qmnist"])
    for part in ("train", "test"):
        table = np.arange(16, dtype=np.int32).reshape(2, 8) % 10
        idx.write(tmp_path / "QMNIST" / f"qmnist-{part}-labels-idx2-int", table)
    assert load("qmnist", root=tmp_path).train.labels.tolist() == [0, 8]


def test_digits_on_their_side_are_turned_upright_and_that_is_said(tmp_path):
    ones = np.zeros((20, 28, 28), np.uint8)
    ones[:, 4:24, 13:15] = 255
    small(tmp_path / "flat", images=ones.transpose(0, 2, 1))
    data = load("mnist", root=tmp_path / "flat")
    assert np.array_equal(data.test.images[:, 0].numpy(), ones)
    assert "lie on their side, as EMNIST's do, and were turned upright" in data.notes[0]


def test_without_mirrors_the_sentence_names_the_archive(tmp_path):
    with pytest.raises(UserError, match=r"unpack emnist-digits-train-.* from https://.*/gzip\.zip"):
        roots.fetch(SOURCES["emnist-digits"], tmp_path)


def test_offline_one_sentence_says_where_it_looked_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLMDEL_MIRROR", dead())
    monkeypatch.setenv("HOLMDEL_DATA", str(tmp_path / "named"))
    with pytest.raises(UserError) as error:
        load("kmnist")
    sentence = str(error.value)
    for place in (tmp_path / "named", roots.user_cache()):
        assert f"{place}/KMNIST/raw" in sentence
    assert sentence.startswith("Kuzushiji-MNIST was not found in")
    assert "train-images-idx3-ubyte.gz could not be downloaded" in sentence
    assert f"put them into {roots.user_cache()}/KMNIST/raw, or set HOLMDEL_DATA" in sentence


def test_a_mirror_of_another_kind_is_refused(monkeypatch):
    monkeypatch.setenv("HOLMDEL_MIRROR", "/a/folder")
    with pytest.raises(UserError, match=r"\$HOLMDEL_MIRROR names '/a/folder'; expected the http"):
        load("mnist")


def test_pictures_of_another_size_are_refused(tmp_path):
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    for file in SOURCES["mnist"].files:
        shape = (2, 8, 8) if "images" in file.name else (2,)
        idx.write(raw / file.name, np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match=r"holds images of 8x8; MNIST has 28x28; give another"):
        load("mnist", root=tmp_path)


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(
        UserError, match=r"'fashion_mnist'; expected one of .* mean fashion-mnist\?"
    ):
        load("fashion_mnist")
    assert names()[:4] == ["fashion-mnist", "mnist", "kmnist", "qmnist"]


def test_the_digits_need_no_download_and_look_like_mnists():
    data = load("digits")
    assert data.train.images.shape == (1437, 1, 28, 28)
    assert data.test.images.shape == (360, 1, 28, 28)
    assert data.train.labels.bincount().min() > 130
    images = data.train.images.float().squeeze(1)
    assert images.amax().item() == 255
    middle = torch.arange(28) + 0.5
    for axis in (1, 2):
        profile = images.sum(3 - axis)
        assert (profile @ middle / profile.sum(1) - 14).abs().max() < 1.01
        assert ((profile > 0).sum(1) <= 20).all()
    assert torch.equal(load("digits").test.images, data.test.images)


def test_the_digits_are_the_same_in_every_version():
    """The sums are of the images and labels that were made from scikit-learn's copy."""
    expected = {
        "train": ("da6f8613f810cf13", "c31c6c9a4b0b3e6a"),
        "test": ("191ae75125a1668e", "706323aadbd0629c"),
    }
    for name, sums in expected.items():
        split = getattr(load("digits"), name)
        contents = (split.images.numpy().tobytes(), split.labels.numpy().tobytes())
        assert tuple(hashlib.sha256(content).hexdigest()[:16] for content in contents) == sums


def test_a_square_of_full_ink_fills_the_box():
    square = enlarge(np.full((8, 8), 16.0))
    by_hand = np.zeros((28, 28), np.uint8)
    by_hand[4:24, 4:24] = 255
    assert np.array_equal(square, by_hand)


def test_mnist_is_fetched_from_a_web_server(mirror, data_root, tmp_path, monkeypatch):
    mirror.folder = data_root
    monkeypatch.setenv("HOLMDEL_MIRROR", f"{dead()} {mirror.url('good')}")
    roots.fetch(SOURCES["mnist"], tmp_path)
    data = load("mnist", root=tmp_path)
    assert data.train.images.shape == (60_000, 1, 28, 28)
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert (data.name, data.framing, data.classes[3]) == ("mnist", "digit", "3")
    assert all(verdict.right for verdict in verify(SOURCES["mnist"], tmp_path))
