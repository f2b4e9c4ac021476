"""Schemas of the answers of the routes in `insight.py` and `samples.py`."""

from typing import Literal

from pydantic import BaseModel, Field

# Nested numbers: a patch of maps or of a vector; null for what is no finite number.
Numbers = list["list[list[float | None]] | float | None"]


class AModel(BaseModel):
    """A model: `input` is what its network sees, `stored` the form that images are brought to."""

    name: str
    network: str
    classes: list[str]
    input: list[int] = Field(description="C, H, W.")
    stored: list[int] = Field(description="C, H, W.")
    framing: str
    parameters: int
    source: Literal["shipped", "folder", "training"]
    data: str | None = Field(description="The data set that it was trained on, where known.")
    engine: str


class ReaderState(BaseModel):
    """Whether strings can be read, and why not."""

    available: bool
    why: str | None


class AllModels(BaseModel):
    """The models, the one taken where none is named, and what else there is."""

    models: list[AModel]
    default: str
    reader: ReaderState
    version: str


class Bytes(BaseModel):
    """Values as bytes in base64, C order: each is low + byte / 255 * (high - low)."""

    low: float
    high: float
    data: str = Field(description="base64, a byte a value.")


class Seen(BaseModel):
    """The image in the stored form, a byte a pixel."""

    shape: list[int]
    data: str = Field(description="base64, a byte a value.")


class Field2d(BaseModel):
    """A receptive field along H and W; output (i, j) begins at offset + (i, j) x stride."""

    size: list[int]
    stride: list[int]
    offset: list[int]


class LayerSeen(Bytes):
    """A layer's values: the first `shown` maps of `shape`, or units where it is a vector."""

    name: str
    kind: str
    detail: str
    inputs: list[str]
    shape: list[int]
    shown: int
    receptive_field: Field2d | None
    explained: bool = Field(description="Whether /v1/unit has what its units are sums of.")
    kernels: bool = Field(description="Whether /v1/kernels has its kernels.")


class ClassProbability(BaseModel):
    """A class and its probability; null where the network's numbers ran away."""

    label: str
    probability: float | None


class ActivationsAnswer(BaseModel):
    """What a network made of an image, its layers in the order they ran."""

    model: str
    network: str
    classes: list[str]
    logits: list[float | None]
    probabilities: list[float | None]
    top: list[ClassProbability]
    seen: Seen
    found: str
    layers: list[LayerSeen]


class KernelsAnswer(Bytes):
    """Kernels: the first `shown` (O, I) of `shape` (O, I, K, K)."""

    layer: str
    shape: list[int]
    shown: list[int]


class WindowAnswer(BaseModel):
    """A window; it may hang over the edge."""

    top: int
    left: int
    height: int
    width: int


class Before(BaseModel):
    """Where a unit looks: the window in those maps of a layer; no window in a vector."""

    layer: str | None
    shape: list[int]
    window: WindowAnswer | None
    channels: list[int]


class UnitAnswer(BaseModel):
    """One unit: the products and the bias sum to its value. What is no finite number is null."""

    layer: str
    kind: str
    unit: list[int]
    value: float | None
    operation: Literal["convolution", "linear", "average", "maximum", "activation", "other"]
    function: str | None = Field(description="Of an activation: relu, sigmoid, tanh, scaled_tanh.")
    before: Before
    field: WindowAnswer | None = Field(description="In the image as the network sees it.")
    patch: Numbers | None
    kernel: Numbers | None
    products: Numbers | None
    argmax: list[int] | None = Field(description="Of a maximum: where in the patch.")
    bias: float | None
    sum: float | None


class MapAnswer(Bytes):
    """A value a pixel of the network's input, for one class."""

    class_: int = Field(alias="class")
    label: str
    shape: list[int]
    method: Literal["gradient", "occlusion"]


class OcclusionAnswer(MapAnswer):
    """How far the class's probability falls; `probability` is that of the whole image."""

    probability: float | None
    window: int
    stride: int


class ASample(BaseModel):
    """An image of a data set as a data URI, and its place in the test split."""

    index: int
    label: str
    picture: str


class SamplesAnswer(BaseModel):
    """Images of a data set; `data` is null where none that the model knows is here."""

    data: str | None
    samples: list[ASample]
