"""An exported file put to work, without PyTorch: the same images in, the same predictions out.

A `.safetensors` file needs NumPy and Pillow, and runs in the native engine; an `.onnx` file needs
ONNX Runtime. Decoding and framing are those of `Classifier`.
"""

import contextlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from holmdel.engine.written import WrittenChain, log_softmax
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.images.decoding import ImageLike, decode_page
from holmdel.images.framing import framed_array
from holmdel.images.pages import name_of
from holmdel.prediction import UNKNOWN, Failure, Prediction

if TYPE_CHECKING:
    from holmdel.classifier import Classifier

PHOTOGRAPHS = "photograph"  # the input of a file exported with --framing
FOUND = ("nothing", "one", "several")  # what its output `found` means
_FRAMES = b'"input": "photograph"'  # in the metadata of such a file
ABOUT, CHAIN = "exported", "chain"  # metadata of a .safetensors file
_LONGEST = 100 << 20  # bytes of the head of such a file
_limits = {"threads": 0}  # of a session; 0: a thread a core


class ExportedClassifier:
    """A classifier out of an ONNX or a safetensors file.

    Attributes:
        classes: the label texts, in the order of the logits.
        contract: how an image becomes what the file takes.

    Raises:
        UserError: for a file that is missing or that `holmdel export` did not write.
    """

    def __init__(self, file: str | Path | bytes) -> None:
        content = file if isinstance(file, bytes) else Path(file)
        name = _called(content)
        texts = _head(content)
        self._session: Any = None if texts else session_of(content)
        if self._session:
            texts = self._session.get_modelmeta().custom_metadata_map
        try:
            about = json.loads(texts[ABOUT if ABOUT in texts else "holmdel"])
            classes = about["classes"] if ABOUT in texts else json.loads(texts["classes"])
            self.classes = tuple(classes)
            self.contract = ImageContract.from_json(about["image"])
            self._unknown = about.get("unknown")
            self._input = about.get("input") if ABOUT in texts else about["input"]
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise UserError(
                f"{name} is no classifier that holmdel export wrote ({error}); export it anew"
            ) from None
        if self._input == "float32":
            raise UserError(f"{name} takes float32; expected one exported without --input float32")
        if self._session is None:
            self._chain = _chain_of(content, texts, self.contract, len(self.classes))

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the probabilities (N, K) of images (N, C, H, W) in the stored form.

        Raises:
            UserError: for a file with --framing, which takes photographs, one at a time.
        """
        if self._session is None:
            return np.exp(log_softmax(self.logits(images)))
        return self._output("probabilities", images)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the logits (N, K) of images (N, C, H, W) in the stored form.

        Raises:
            UserError: as `probabilities`.
        """
        if self._session is None:
            return self._chain.logits(images, _limits["threads"])
        return self._output("logits", images)

    def _output(self, name: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns an output of an ONNX file."""
        if self._input == PHOTOGRAPHS:
            raise UserError("the file was exported with --framing; call predict on photographs")
        found: NDArray[np.float32] = self._session.run([name], {"images": images})[0]
        return found

    def predict(self, images: Iterable[ImageLike], *, top: int = 3) -> list[Prediction]:
        """Returns one prediction per image, in order.

        Raises:
            UserError: for an image that cannot be used, or `top` below 1.
        """
        results = list(self.predict_each(images, top=top))
        for result in results:
            if isinstance(result, Failure):
                raise UserError(result.error)
        return [result for result in results if isinstance(result, Prediction)]

    def predict_each(
        self, images: Iterable[ImageLike], *, top: int = 3
    ) -> Iterator[Prediction | Failure]:
        """Gives one prediction or failure per image, in order.

        Args:
            images: any number of images.
            top: how many classes `Prediction.top` holds at most.

        Raises:
            UserError: if `top` is below 1; never for an image.
        """
        if top < 1:
            raise UserError(f"top was given as {top}; expected a whole number from 1")
        return (self._one(image, top) for image in images)

    def _one(self, image: ImageLike, top: int) -> Prediction | Failure:
        path = name_of(image)
        try:
            seen, found, probabilities, page = self._answered(image)
        except UserError as error:
            return Failure(path, str(error))
        kept: Any = seen  # an array, where there is no tensor
        if found == "nothing":
            return Prediction(path, "", -1, 0.0, (), kept, page, found)
        row = probabilities()
        order = np.argsort(-row, kind="stable")[:top].tolist()
        best = tuple((self.classes[at], float(row[at])) for at in order)
        label, probability = best[0]
        index = order[0]
        if self._unknown is not None and np.delete(row, index).sum() > self._unknown:
            label, index = UNKNOWN, -1
        return Prediction(path, label, index, probability, best, kept, page, found)

    def _answered(
        self, image: ImageLike
    ) -> tuple[NDArray[np.uint8], str, Callable[[], NDArray[np.float32]], int | None]:
        """Returns what is seen of an image, what is on it, its probabilities, and its page."""
        if self._input == PHOTOGRAPHS:
            decoded = decode_page(image, 3)
            given = {PHOTOGRAPHS: decoded.squared()}
            names = ["probabilities", "framed", "found"]
            found, seen, what = self._session.run(names, given)
            return seen[0], FOUND[int(what)], lambda: found[0], decoded.page
        decoded = decode_page(image, self.contract.stored[0])
        seen, on_it = framed_array(decoded.squared(), self.contract)
        return seen, on_it, lambda: self.probabilities(seen[None])[0], decoded.page


def load(file: str | Path) -> ExportedClassifier:
    """Returns the classifier of an `.onnx` or `.safetensors` file that `holmdel export` wrote.

    Raises:
        UserError: for a file that is missing or of another kind.
    """
    return ExportedClassifier(file)


def classifier_of(
    model: str | Path, device: str = "cpu", engine: str = "auto"
) -> "Classifier | ExportedClassifier":
    """Returns a model, or what `holmdel export` made of one, which needs no torch.

    Args:
        model: such a file as for `load`; or as for `classifier.load`, and so are the others.
        device: likewise.
        engine: likewise.

    Raises:
        UserError: as `load`, or `classifier.load`.
    """
    if is_exported(model):
        return load(model)
    if str(model).endswith(".safetensors") and not Path(model).exists():
        raise UserError(f"there is no file {model}; expected a .safetensors file")
    from holmdel import classifier  # loads torch

    return classifier.load(model, device, engine)


def is_exported(model: str | Path) -> bool:
    """Tells whether a model is an `.onnx` file, or a `.safetensors` file that was exported."""
    name = str(model)
    return name.endswith(".onnx") or (name.endswith(".safetensors") and ABOUT in _head(Path(name)))


def _head(file: Path | bytes) -> dict[str, str]:
    """Returns the texts in the head of a safetensors file; none of another, or of none."""
    try:
        with io.BytesIO(file) if isinstance(file, bytes) else file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            head = json.loads(opened.read(length)) if length <= _LONGEST else {}
        texts = head["__metadata__"]
        return texts if {*map(type, texts.values())} <= {str} else {}
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}


def _chain_of(
    file: Path | bytes, texts: dict[str, str], image: ImageContract, classes: int
) -> WrittenChain:
    """Returns what runs a safetensors file.

    Raises:
        UserError: for a file that is cut short, or whose network the engine does not take.
    """
    from safetensors import SafetensorError  # as ONNX Runtime, for the files that need it
    from safetensors.numpy import load as tensors_of

    name = _called(file)
    if CHAIN not in texts:
        raise UserError(f"{name} holds a network that needs PyTorch; export it with --to onnx")
    try:
        tensors = tensors_of(file if isinstance(file, bytes) else file.read_bytes())
        chain = WrittenChain(texts[CHAIN], tensors, image)
    except (SafetensorError, OSError, KeyError) as error:
        raise UserError(f"{name} cannot be read as safetensors ({error}); export it anew") from None
    except UserError as error:
        raise UserError(f"{name} cannot be run: {error}") from None
    if chain.classes != classes:
        raise UserError(f"{name} has {classes} classes and {chain.classes} logits; export it anew")
    return chain


def file_of(model: str | Path) -> Path:
    """Returns the file of a model that `classifier_of` takes.

    Raises:
        UserError: as `classifier.file_of`.
    """
    if is_exported(model):
        return Path(model)
    from holmdel import classifier  # loads torch

    return classifier.file_of(model)


def one_thread() -> None:
    """Lets this process, one of many, compute in one thread: PyTorch and ONNX Runtime."""
    _limits["threads"] = 1
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)


def session_of(path: Path | bytes) -> Any:
    """Returns ONNX Runtime with a file, or with the bytes of one.

    Raises:
        UserError: for a file that is missing or of another kind, or without ONNX Runtime.
    """
    if isinstance(path, Path) and not path.is_file():
        raise UserError(f"there is no file {path}; expected one that holmdel export wrote")
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            "onnxruntime is not installed, and ONNX files need it: pip install onnxruntime, or "
            "export with --to safetensors"
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = _limits["threads"]
    if _FRAMES in (path.read_bytes() if isinstance(path, Path) else path):
        # 2,651 operators: making them fewer takes longer than ten photographs gain.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many kinds, none of which is public
        reason = str(error).partition("\n")[0][:200]
        raise UserError(
            f"{_called(path)} cannot be read as ONNX ({reason}); export it anew"
        ) from None


def _called(file: Path | bytes) -> str:
    """Returns what sentences call a file; one of digits lies in a reader's."""
    return str(file) if isinstance(file, Path) else "the network of digits"
