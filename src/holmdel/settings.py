"""Every training setting and network option, said once.

The command line, TOML files, Python, the server's form and the table of settings come from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holmdel.schema import ABOVE_ZERO, Setting, check_fields, schema, setting

RECIPES = ("book", "modern")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Every setting of a training; frozen, and saved with the run.

    The defaults are the `book` recipe for LeNet.
    """

    recipe: str = setting(
        "book", "where the other defaults come from", choices=RECIPES, common=True, request={}
    )
    epochs: int = setting(
        10, "passes over the training examples", least=1, common=True, request={"most": 1000}
    )
    batch_size: int = setting(
        256, "examples per step", least=1, common=True, request={"most": 10_000}
    )
    lr: float = setting(
        0.9,
        "learning rate; its peak where a schedule is used",
        least=ABOVE_ZERO,
        common=True,
        request={"most": 1000},
    )
    seed: int = setting(
        0,
        "seed of the weights, the shuffling and the augmentation",
        least=0,
        common=True,
        request={"most": 2**31 - 1},
    )
    device: str = setting("cpu", "where to compute: cpu, cuda, cuda:N or mps", common=True)
    engine: str = setting(
        "auto",
        "what computes; auto takes native on the CPU for float32 chains of the layers it knows",
        choices=("auto", "native", "torch"),
    )
    input: str | None = setting(
        None, "CxHxW that the network sees; the network's own size if not given"
    )
    limit: int | None = setting(
        None,
        "train and test on N examples only, each class in its share",
        least=1,
        common=True,
        request={"most": 1_000_000},
    )
    test: float = setting(
        0.2,
        "fraction of each class put aside for testing, where the data have no test part",
        least=0.01,
        most=0.9,
    )
    balance: bool = setting(
        False, "show each class as often as the next, however many images it has", request={}
    )
    patience: int = setting(
        0,
        "stop when the validation accuracy has not risen for so many epochs; 0 is never; holds "
        "out a tenth if validation is not given",
        least=0,
    )
    unknown: float = setting(
        0.0,
        "fraction of held-out images that may be called unknown; what is less sure than the rest "
        "of them is; 0 is off; holds out a tenth if validation is not given",
        least=0,
        most=0.5,
    )
    skip_broken: bool = setting(False, "leave out images that cannot be decoded")
    framing: str = setting(
        "auto",
        "how images of a folder or a file come to their size: a digit or an object cut out, or the "
        "whole scaled to fit; auto takes digit for photographs of digits, else fit",
        choices=("auto", "digit", "object", "fit"),
    )
    restarts: int = setting(
        0, "further seeds to try after a dead start", least=0, request={"most": 20}
    )
    optimizer: str = setting(
        "sgd", "rule that updates the weights", choices=("sgd", "adamw"), request={}
    )
    momentum: float = setting(
        0.0, "momentum of sgd; Nesterov's where above 0", least=0, most=0.999, request={}
    )
    weight_decay: float = setting(
        0.0, "decay of the weights, not of biases or batch norms", least=0, request={"most": 10}
    )
    clip: float = setting(
        0.0, "largest norm of the whole gradient; 0 is off", least=0, request={"most": 1_000_000}
    )
    schedule: str = setting(
        "constant",
        "course of the learning rate over the training",
        choices=("constant", "onecycle"),
        request={},
    )
    warmup: float = setting(
        0.1,
        "fraction of the steps in which a onecycle learning rate rises",
        least=0,
        most=0.9,
        request={},
    )
    init: str = setting(
        "xavier",
        "first weights: uniform as the book's, centred for deep ReLU networks, or PyTorch's own",
        choices=("xavier", "centred", "lecun", "torch"),
        request={},
    )
    label_smoothing: float = setting(
        0.0, "probability spread over the other classes", least=0, most=0.9, request={}
    )
    augment: str = setting(
        "none",
        "random changes of the training images: none, or flip, shift, affine, elastic joined by +",
        request={
            "choices": (
                "none", "flip", "shift", "flip+shift", "affine", "elastic", "affine+elastic",
            )
        },
    )  # fmt: skip
    normalise: bool = setting(
        False, "subtract the mean of the training pixels, divide by their deviation", request={}
    )
    batch_norm: bool = setting(
        False, "train with batch norms, folded into the weights that are saved", request={}
    )
    calibrate: bool = setting(False, "scale the logits at the end so that probabilities fit")
    average: float = setting(
        0.0, "decay of a running average of the weights; 0 is off", least=0, most=0.99999
    )
    validation: float = setting(
        0.0, "fraction of the training examples held out for validation", least=0, most=0.5
    )
    precision: str = setting(
        "auto",
        "numbers of forward and backward; auto takes bfloat16 where the device computes in it, on "
        "a processor for images above 64x64 only; evaluation is in float32, or float64",
        choices=("auto", "float32", "bfloat16", "float64"),
    )
    dead_after: int = setting(
        1000, "batches after which a run at chance is called dead; 0 is never", least=0
    )
    tensorboard: bool = setting(False, "write TensorBoard events too (extra: tensorboard)")

    def __post_init__(self) -> None:
        """Raises a UserError for a value outside its range."""
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """Every setting of a reader's training; frozen, and saved with the run.

    The defaults train from nothing; `TUNED_READER` has those for a user's lines.
    """

    lines: int = setting(780_000, "lines to train on, in all", least=1)
    batch_size: int = setting(64, "lines per step, over all processes", least=1)
    lr: float = setting(8e-3, "largest learning rate", least=1e-9)
    weight_decay: float = setting(1e-3, "weight decay", least=0)
    average: float = setting(
        0.999, "decay of the running average of the weights", least=0, most=0.99999
    )
    seed: int = setting(0, "seed of the weights, the strings and the order", least=0)
    processes: int = setting(
        1, "processes side by side; one per core if not given", least=1, most=64
    )
    held_out: int = setting(
        2_000, "synthetic strings to judge by and to fit the trust to", least=20
    )
    mix: float = setting(
        0.5, "fraction of the lines that are your own, with --strings", least=0, most=1
    )

    def __post_init__(self) -> None:
        """Raises a UserError for a value outside its range."""
        check_fields(self)


TRAINING = schema(TrainSettings)
READER = schema(ReaderSettings)
# For lines of one's own, from a trained reader; synthetic lines are mixed in.
TUNED_READER = {"lines": 16_000, "lr": 1e-3, "average": 0.99, "mix": 0.7}

# The defaults of these are the networks' own: `networks.network_options`.
OPTIONS = {
    option.name: option
    for option in (
        Setting(
            name="activation",
            type="str",
            help="function between the layers",
            choices=("sigmoid", "tanh", "relu"),
            request={},
        ),
        Setting(
            name="pooling",
            type="str",
            help="what a window of a map becomes: its mean or its maximum",
            choices=("avg", "max"),
            request={},
        ),
        Setting(
            name="width",
            type="float",
            help="factor on the number of maps",
            least=ABOVE_ZERO,
            most=16,
            request={"least": 0.05, "most": 1},
        ),
        Setting(
            name="lrn",
            type="bool",
            help="local response normalisation, as AlexNet's paper has it",
            request={},
        ),
        Setting(
            name="padding",
            type="int",
            help="zeros around the image before AlexNet's first convolution",
            least=0,
            request={"most": 8},
        ),
        Setting(
            name="variant",
            type="str",
            help="whose LeNet: the book's, that of paddle.vision, or that of Caffe's example",
            choices=("book", "paddle", "caffe"),
        ),
        Setting(
            name="ceil_mode",
            type="bool",
            help="poolings that round up, as Caffe's: a window may hang over the edge",
        ),
        Setting(
            name="same",
            type="bool",
            help="GoogLeNet with the padding of TensorFlow and JAX: the odd pixel at the far side",
        ),
        Setting(
            name="classes",
            type="int",
            help="classes, so logits; from the data set in a training",
            least=2,
            from_data=True,
            request={"most": 100_000},
        ),
        Setting(
            name="channels",
            type="int",
            help="channels of the images; from the data set in a training",
            least=1,
            from_data=True,
            request={"most": 4096},
        ),
        Setting(
            name="size",
            type="tuple",
            help="height and width of the images; from the data set in a training",
            least=1,
            from_data=True,
            request={"most": 1024},
        ),
    )
}


# Of a line network, as its file says them; the first readers say no layers.
LINE_OPTIONS = (
    Setting(name="channels", type="counts", least=1, most=4096),
    Setting(name="dropout", type="float", default=0.15, least=0, most=0.99),
    Setting(name="layers", type="str", default="pooled", choices=("strided", "pooled")),
)


def check_options(**options: Any) -> None:
    """Raises a UserError for an option of a network that is outside its range."""
    for name, value in options.items():
        OPTIONS[name].check(value)


def read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options of a network, texts read as their types; unknown ones stay as they are.

    Raises:
        UserError: for a value of another type or outside its range.
    """
    return {
        name: OPTIONS[name].read(value) if name in OPTIONS else value
        for name, value in options.items()
    }
