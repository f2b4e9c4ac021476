"""The named data sets: their IDX files, mirrors and checksums."""

from dataclasses import dataclass
from pathlib import Path

DIGITS = tuple("0123456789")


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
        mirrors: base URLs, tried in turn.
        files: images and labels for training, images and labels for testing.
    """

    name: str
    title: str
    folder: str
    classes: tuple[str, ...]
    framing: str
    mirrors: tuple[str, ...]
    files: tuple[SourceFile, SourceFile, SourceFile, SourceFile]

    @property
    def counts(self) -> tuple[int, int]:
        """Returns the images for training and for testing, by the sizes of the label files."""
        train, test = (self.files[index].size - 8 for index in (1, 3))
        return train, test

    def raw(self, root: Path) -> Path:
        """Returns the folder of the four files in a data root."""
        return root / self.folder / "raw"

    def paths(self, root: Path) -> list[Path | None]:
        """Returns where each of the four files lies in a data root, plain or `.gz`, or None."""
        plain = [self.raw(root) / file.name for file in self.files]
        pairs = [(path, path.with_name(path.name + ".gz")) for path in plain]
        return [next((path for path in pair if path.is_file()), None) for pair in pairs]


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

SOURCES = {source.name: source for source in (FASHION_MNIST, MNIST, KMNIST)}
