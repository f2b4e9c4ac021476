"""The named data sets: their IDX files, mirrors and checksums."""

from dataclasses import dataclass
from pathlib import Path

DIGITS = tuple("0123456789")
SIDE = 28  # pixels; of every named set
_INNER = ("raw", "", "gzip")  # folders of the files inside the set's own; `gzip` is EMNIST's


@dataclass(frozen=True)
class SourceFile:
    """One IDX file of a data set.

    Attributes:
        name: the file's name without `.gz`.
        size: bytes, uncompressed.
        sha256: of the uncompressed file; empty where nobody has published it.
        archive_sha256: of the official `.gz`; the check on a download where `sha256` is empty.
    """

    name: str
    size: int
    sha256: str = ""
    archive_sha256: str = ""


@dataclass(frozen=True)
class Source:
    """A data set of four IDX files.

    Attributes:
        name: what `--data` calls it.
        title: what people call it.
        folder: the folder in a data root, `FOLDER/raw`.
        classes: the label texts.
        framing: how a foreign image is brought into its form; one of `images.FRAMINGS`.
        mirrors: base URLs, tried in turn; none where `archive` has to be unpacked by hand.
        files: images and labels for training, images and labels for testing.
        first_label: the number in the label files that stands for the first class.
        on_their_side: whether the files have rows and columns of each image exchanged.
        archive: the URL of an archive with the files.
    """

    name: str
    title: str
    folder: str
    classes: tuple[str, ...]
    framing: str
    mirrors: tuple[str, ...]
    files: tuple[SourceFile, SourceFile, SourceFile, SourceFile]
    first_label: int = 0
    on_their_side: bool = False
    archive: str = ""

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the images for training and for testing, by the sizes of the image files."""
        train, test = ((self.files[index].size - 16) // SIDE**2 for index in (0, 2))
        return train, test

    def raw(self, root: Path) -> Path:
        """Returns the folder of the four files in a data root."""
        return root / self.folder / "raw"

    def folders(self, root: Path, *, named: bool = False) -> list[Path]:
        """Returns where in a data root the four files may lie, the usual place first.

        Args:
            root: the data root.
            named: the user named it, so it may be one of these folders itself.
        """
        known = _spelled(self.folder), _spelled(self.name), _spelled(self.name.partition("-")[0])
        entries = sorted(root.iterdir()) if root.is_dir() else []
        alike = [entry for entry in entries if _spelled(entry.name) in known[:2]]
        own = [root / self.folder, *(entry for entry in alike if entry.name != self.folder)]
        if named and not {_spelled(root.name), _spelled(root.parent.name)} & _FOLDERS - {*known}:
            own.append(root)
        return [place / inner for place in own for inner in _INNER]

    def paths(self, folder: Path) -> list[Path | None]:
        """Returns where each of the four files lies in a folder, or None.

        Plain or `.gz`, `train-images.idx3-ubyte` too, or in a folder of the file's name.
        """
        return [_find(folder, file.name) for file in self.files]


def _find(folder: Path, name: str) -> Path | None:
    names = [name, name.replace("-idx", ".idx")]
    tried = (folder / (stem + ending) for stem in names for ending in ("", ".gz"))
    for path in tried:
        if path.is_file():
            return path
        if (inner := path / path.name).is_file():
            return inner
    return None


def _spelled(name: str) -> str:
    """Returns a folder's name as it is compared: MNIST, mnist; FashionMNIST, fashion-mnist."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _files(
    train_images: str, train_labels: str, test_images: str, test_labels: str, *, archive: bool
) -> tuple[SourceFile, SourceFile, SourceFile, SourceFile]:
    """Returns the four files of a set of 60,000 and 10,000 images of 28x28, by their SHA-256."""

    def file(name: str, size: int, digest: str) -> SourceFile:
        return SourceFile(name, size, *(("", digest) if archive else (digest, "")))

    return (
        file("train-images-idx3-ubyte", 16 + 60_000 * 28 * 28, train_images),
        file("train-labels-idx1-ubyte", 8 + 60_000, train_labels),
        file("t10k-images-idx3-ubyte", 16 + 10_000 * 28 * 28, test_images),
        file("t10k-labels-idx1-ubyte", 8 + 10_000, test_labels),
    )


FASHION_MNIST = Source(
    name="fashion-mnist",
    title="Fashion-MNIST",
    folder="FashionMNIST",
    # The texts as in Zhang et al., "Dive into Deep Learning", section 4.2.
    classes=(
        "t-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    framing="object",
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    files=_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        archive=False,
    ),
)

MNIST = Source(
    name="mnist",
    title="MNIST",
    folder="MNIST",
    classes=DIGITS,
    framing="digit",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files=_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        archive=False,
    ),
)

KMNIST = Source(
    name="kmnist",
    title="Kuzushiji-MNIST",
    folder="KMNIST",
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    framing="digit",
    mirrors=(
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
    files=_files(
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        archive=True,
    ),
)

QMNIST = Source(
    name="qmnist",
    title="QMNIST",
    folder="QMNIST",
    classes=DIGITS,
    framing="digit",
    mirrors=("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
    files=(
        SourceFile("qmnist-train-images-idx3-ubyte", 16 + 60_000 * SIDE**2),
        SourceFile("qmnist-train-labels-idx2-int", 12 + 60_000 * 8 * 4),
        SourceFile("qmnist-test-images-idx3-ubyte", 16 + 60_000 * SIDE**2),
        SourceFile("qmnist-test-labels-idx2-int", 12 + 60_000 * 8 * 4),
    ),
)


def _emnist(part: str, train: int, test: int, classes: str, first_label: int = 0) -> Source:
    """Returns a part of EMNIST; the files have rows and columns exchanged.

    Cohen, Afshar, Tapson and van Schaik, "EMNIST: an extension of MNIST to handwritten letters"
    (2017), table II.
    """
    prefix = f"emnist-{part}"
    return Source(
        name=prefix,
        title=f"EMNIST ({part})",
        folder="EMNIST",
        classes=tuple(classes),
        framing="digit",
        mirrors=(),
        files=(
            SourceFile(f"{prefix}-train-images-idx3-ubyte", 16 + train * SIDE**2),
            SourceFile(f"{prefix}-train-labels-idx1-ubyte", 8 + train),
            SourceFile(f"{prefix}-test-images-idx3-ubyte", 16 + test * SIDE**2),
            SourceFile(f"{prefix}-test-labels-idx1-ubyte", 8 + test),
        ),
        first_label=first_label,
        on_their_side=True,
        archive="https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
    )


_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MERGED = f"0123456789{_CAPITALS}abdefghnqrt"  # the other small letters count as their capitals
EMNIST = (
    _emnist("balanced", 112_800, 18_800, _MERGED),
    _emnist("letters", 124_800, 20_800, _CAPITALS.lower(), first_label=1),
    _emnist("digits", 240_000, 40_000, "0123456789"),
    _emnist("mnist", 60_000, 10_000, "0123456789"),
    _emnist("bymerge", 697_932, 116_323, _MERGED),
    _emnist("byclass", 697_932, 116_323, f"0123456789{_CAPITALS}{_CAPITALS.lower()}"),
)

SOURCES = {source.name: source for source in (FASHION_MNIST, MNIST, KMNIST, QMNIST, *EMNIST)}
_FOLDERS = {_spelled(name) for one in SOURCES.values() for name in (one.folder, one.name)}
