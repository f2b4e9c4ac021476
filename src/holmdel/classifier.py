"""The classifier: images in, class probabilities out."""

import copy
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from holmdel import engine as engines
from holmdel.checkpoint import Header, load_model
from holmdel.deprecation import renamed_parameters
from holmdel.devices import choose_device
from holmdel.errors import UserError
from holmdel.evaluation import evaluating
from holmdel.files.foreign import foreign
from holmdel.images.contract import ImageContract, to_input
from holmdel.images.decoding import ImageLike, decode_page
from holmdel.images.framing import framed
from holmdel.images.pages import DocumentPage, name_of
from holmdel.notebook import html_table
from holmdel.prediction import Failure as Failure
from holmdel.prediction import Prediction as Prediction
from holmdel.prediction import nothing_on as nothing_on
from holmdel.shapes import parameter_count

if TYPE_CHECKING:
    from holmdel.export.check import Report

BATCH_SIZE = 256
_READER = "reader"  # reads strings, and is used by `holmdel read`
_THREADS = 4  # decoders wait for the disk and release the interpreter's lock


@dataclass(frozen=True)
class _Framed:
    """An image on its way to the network: uint8 (C, H, W), and what was found on it."""

    path: str | None
    page: int | None
    seen: Tensor
    found: str


class Classifier:
    """A network with what is needed to use it on images from anywhere.

    Attributes:
        network: the `nn.Module`, in eval mode, on `device`.
        header: what the file says of it.
        device: where it runs.
        engine: `auto` for the native engine where it knows the network, `native` or `torch`.

    Raises:
        UserError: for another engine, or `native` where it cannot.
    """

    def __init__(
        self, network: nn.Module, header: Header, device: str = "cpu", engine: str = "auto"
    ) -> None:
        self.network = network.to(device).eval()
        self.header = header
        self.device = device
        self.engine = engine
        self._chain()

    def __repr__(self) -> str:
        return f"Classifier({', '.join(f'{name} {value}' for name, value in self._rows())})"

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: the network, its input, its classes."""
        return html_table(("classifier", ""), self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        names = self.classes[:12]
        others = len(self.classes) - len(names)
        return [
            ("network", self.header.network),
            ("parameters", f"{parameter_count(self.network):,}"),
            ("input", "x".join(map(str, self.contract.input))),
            ("classes", ", ".join(names) + (f" and {others:,} more" if others else "")),
            ("device", self.device),
        ]

    @property
    def classes(self) -> tuple[str, ...]:
        """The label texts, in the order of the logits."""
        return self.header.classes

    @property
    def contract(self) -> ImageContract:
        """The image contract: what the network was trained to see."""
        return self.header.image

    @renamed_parameters(pictures="images")
    def predict(self, images: ImageLike | Iterable[ImageLike], *, top: int = 3) -> list[Prediction]:
        """Returns one prediction per image, in order.

        Args:
            images: one image or several; a batch is an array or tensor (N, C, H, W).
            top: how many classes `Prediction.top` holds at most.

        Raises:
            UserError: for an image that cannot be used, or `top` below 1.
        """
        predictions = []
        for result in self.predict_each(_several(images), top=top):
            if isinstance(result, Failure):
                raise UserError(result.error)
            predictions.append(result)
        return predictions

    @renamed_parameters(pictures="images")
    def predict_each(
        self, images: Iterable[ImageLike], *, top: int = 3, batch_size: int | None = None
    ) -> Iterator[Prediction | Failure]:
        """Gives one prediction or failure per image, in order, however many there are.

        Images are drawn from the iterable as they are needed, decoded in a few threads, and put
        through the network in batches; at most two batches are held.

        Args:
            images: any number of images.
            top: how many classes `Prediction.top` holds at most.
            batch_size: N of the batches; 256, or fewer where the images are large, if None.

        Raises:
            UserError: if `top` or `batch_size` is below 1; never for an image.
        """
        size = min(BATCH_SIZE, self.contract.batch_size) if batch_size is None else batch_size
        for name, value in (("top", top), ("batch_size", size)):
            if value < 1:
                raise UserError(f"{name} was given as {value}; expected a whole number from 1")
        return self._results(iter(images), top, size)

    def _results(
        self, images: Iterator[ImageLike], top: int, batch_size: int
    ) -> Iterator[Prediction | Failure]:
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="decode")
        waiting: deque[Future[_Framed | Failure]] = deque()
        try:
            while True:
                room = 2 * batch_size - len(waiting)
                waiting.extend(pool.submit(self._framed, p) for p in islice(images, room))
                if not waiting:
                    return
                count = min(batch_size, len(waiting))
                yield from self._answers([waiting.popleft().result() for _ in range(count)], top)
        finally:
            pool.shutdown(cancel_futures=True)

    def _framed(self, image: ImageLike) -> _Framed | Failure:
        path = name_of(image)
        try:
            found = decode_page(image, self.contract.stored[0])
            return _Framed(path, found.page, *framed(found.squared(), self.contract))
        except UserError as error:
            return Failure(path, str(error))

    def _answers(self, batch: list[_Framed | Failure], top: int) -> Iterator[Prediction | Failure]:
        """Gives the results of one batch, in order."""
        good = [item for item in batch if isinstance(item, _Framed)]
        rows = iter(self._probabilities([item.seen for item in good]))
        for item in batch:
            yield item if isinstance(item, Failure) else self._prediction(item, next(rows), top)

    @renamed_parameters(pictures="images")
    def logits(self, images: Tensor) -> Tensor:
        """Returns what the network says, float32 (N, classes), of images in the stored form.

        Args:
            images: uint8 (N, C, H, W) of the contract's stored size.
        """
        images = images.to(self.device)
        chain = self._chain()
        if chain is None or self.contract.enlarge == "resize":  # more than the engine does itself
            images = to_input(images, self.contract)
        if chain is not None:
            return chain.logits(images)
        with evaluating(self.network):
            answer: Tensor = self.network(images)
        return answer.float()

    def export(
        self,
        out: str | Path,
        to: str = "onnx",
        *,
        images: Tensor | None = None,
        source: str = "",
        card: str = "",
        licence: str = "",
        name: str = "",
        labels: Tensor | None = None,
        training: Tensor | None = None,
        force: bool = False,
        **options: Any,
    ) -> "Report":
        """Writes the classifier as a file of another program, once that answers the same.

        Args:
            out: a file; for `c`, a folder.
            to: one of `holmdel.export.FORMATS`.
            images: uint8 (N, C, H, W) as stored, to compare on; 64 of noise if None.
            source: what they are, for the report.
            card: the model card, kept in the file.
            licence: what the weights may be used under, kept in the file.
            name: what a page calls the model; the network's name if "".
            labels: int64 (N,) of `images`, for the accuracy with 8 bits.
            training: uint8 (N, C, H, W), on which 8 bits are calibrated; `images` if None.
            force: whether files that are there may be replaced.
            options: of the format; docs/export.md has them.

        Raises:
            UserError: for a network that cannot go into the format, a file that is there or
                cannot be written, or one that answers otherwise than the network.
        """
        from holmdel.export import Subject, export, generated

        if images is None:
            images = generated(self.contract.stored)
            source = f"{len(images)} generated images"
        source = source or f"{len(images):,} images"
        here = self.device == "cpu"
        network = self.network if here else copy.deepcopy(self.network).cpu()
        about = Subject(
            network, self.header, images.cpu(), source, card, licence, name, labels, training
        )
        return export(about, out, to, force=force, **options)

    def _chain(self) -> engines.Chain | None:
        """Returns the network as it is now in the native engine; None for PyTorch.

        It is made for every batch, as `network` may have changed in any way.
        """
        return engines.select(self.network, self.contract, self.engine).chain

    def _probabilities(self, images: list[Tensor]) -> Tensor:
        """Returns float32 (N, classes) for uint8 images (C, H, W) of the stored size."""
        if not images:
            return torch.empty(0, len(self.classes))
        return self.logits(torch.stack(images)).softmax(dim=1).cpu()

    def _prediction(self, item: _Framed, row: Tensor, top: int) -> Prediction:
        if item.found == "nothing":
            answer: tuple[str, int, float, tuple[tuple[str, float], ...]] = "", -1, 0.0, ()
        else:
            values, indices = row.topk(min(top, len(self.classes)))
            best = tuple(
                (self.classes[i], p) for i, p in zip(indices.tolist(), values.tolist(), strict=True)
            )
            others = row.clone()
            others[indices[0]] = 0
            named = self.header.named(int(indices[0]), float(others.sum()))
            answer = *named, best[0][1], best
        return Prediction(item.path, *answer, item.seen, item.page, item.found)


def load(model: str | Path, device: str = "cpu", engine: str = "auto") -> Classifier:
    """Returns the classifier of a model.

    Args:
        model: a run folder, a `.safetensors` file, or the name of a model that ships with holmdel.
        device: a PyTorch device, such as `cpu`, `cuda` or `cuda:1`.
        engine: `auto` for the native engine where it knows the network, `native` or `torch`.

    Raises:
        UserError: if there is no such model, its file cannot be used, or there is no such device or
            engine for it.
    """
    choose_device(device)
    return Classifier(*load_model(file_of(model)), device, engine)


def file_of(model: str | Path) -> Path:
    """Returns the file of a model's weights.

    Args:
        model: as for `load`.

    Raises:
        UserError: if there is no such model, or it is a file of another program.
    """
    path = Path(model)
    if path.is_dir():
        path = path / "model.safetensors"
        if not path.is_file():
            raise UserError(
                f"the folder {model} holds no model.safetensors; expected a run folder that "
                "holmdel train wrote"
            )
    if path.is_file():
        _refuse_foreign(path)
        return path
    if str(model) not in shipped():
        raise UserError(
            f"there is no model {model}; expected a run folder, a .safetensors file, or one that "
            f"ships with holmdel: {', '.join(shipped()) or 'none does in this version'}"
        )
    return Path(str(_shelf() / f"{model}.safetensors"))


def card(model: str | Path) -> tuple[str, str]:
    """Returns the model card of a model, in Markdown, and its licence; "" where there is none.

    Args:
        model: as for `load`.
    """
    if str(model) in shipped() and not Path(model).exists():
        return (_shelf() / f"{model}.md").read_text(encoding="utf-8"), "MIT"
    path = Path(model) / "README.md"
    return (path.read_text(encoding="utf-8") if path.is_file() else ""), ""


def _refuse_foreign(path: Path) -> None:
    """Raises a UserError for a file of another program, which may look like a damaged one."""
    if what := foreign(path):
        raise UserError(
            f"{path} is {what}; `holmdel import {path} --as NETWORK --out DIR` makes a run folder "
            "of its weights"
        )


def shipped() -> list[str]:
    """Returns the names of the classifiers that ship with holmdel, sorted."""
    if not _shelf().is_dir():
        return []
    names = (Path(file.name) for file in _shelf().iterdir())
    return sorted(
        name.stem for name in names if name.suffix == ".safetensors" and name.stem != _READER
    )


def _shelf() -> resources.abc.Traversable:
    return resources.files("holmdel") / "weights"


def _several(images: ImageLike | Iterable[ImageLike]) -> Iterable[ImageLike]:
    """Returns the images as an iterable; a single one becomes a list of one."""
    single = isinstance(images, str | Path | bytes | DocumentPage | Image.Image) or (
        isinstance(images, np.ndarray | Tensor) and images.ndim < 4
    )
    return [images] if single else images  # type: ignore[list-item,return-value]
