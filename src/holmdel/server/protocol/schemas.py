"""The OpenAPI schemas of the Open Inference Protocol's bodies."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema


class Live(BaseModel):
    """Whether the server runs."""

    live: bool


class Ready(Live):
    """Whether the server runs and accepts requests."""

    ready: bool


class ServerMetadata(BaseModel):
    """The server's name and version, and what it does beyond the protocol."""

    name: str
    version: str
    extensions: list[str]


class ModelReady(BaseModel):
    """Whether a model accepts requests."""

    name: str
    ready: bool


class TensorMetadata(BaseModel):
    """An input or output; -1 in the shape stands for any number."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, int | float | str] | None = None


class ModelMetadata(BaseModel):
    """A model's inputs, of which a request gives one, and outputs."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ConfiguredTensor(BaseModel):
    """An input or output without the number of images."""

    name: str
    data_type: str
    dims: list[int]
    format: str | None = None
    optional: bool | None = None
    label_filename: str | None = None


class ModelConfiguration(BaseModel):
    """A model's configuration, in the words of Triton's `model_config.proto`."""

    name: str
    platform: str
    backend: str
    version_policy: dict[str, dict[str, int]]
    max_batch_size: int
    input: list[ConfiguredTensor]
    output: list[ConfiguredTensor]
    dynamic_batching: dict[str, int | list[int]]
    parameters: dict[str, dict[str, str]]


class Took(BaseModel):
    """How often something happened, and how many nanoseconds it took in all."""

    count: int
    ns: int


class InferenceStatistics(BaseModel):
    """Requests by how they ended, and what they waited for."""

    success: Took
    fail: Took
    queue: Took
    compute_input: Took
    compute_infer: Took
    compute_output: Took
    cache_hit: Took


class BatchStatistics(BaseModel):
    """Batches of one size."""

    batch_size: int
    compute_input: Took
    compute_infer: Took
    compute_output: Took


class ModelStatistic(BaseModel):
    """What a model has done; `last_inference` is in milliseconds since 1970."""

    name: str
    version: str
    last_inference: int
    inference_count: int
    execution_count: int
    inference_stats: InferenceStatistics
    batch_stats: list[BatchStatistics]


class Statistics(BaseModel):
    """What models have done since the server started."""

    model_stats: list[ModelStatistic]


class RepositoryRequest(BaseModel):
    """Which models to list: all, or only those that accept requests."""

    ready: bool = False


class RepositoryEntry(BaseModel):
    """A version of a model that the server has, or a model that it may load, without a version."""

    name: str
    version: str
    state: str
    reason: str


class LoadRequest(BaseModel):
    """A request to load a model; there are no parameters."""

    parameters: dict[str, Any] = {}


class Done(BaseModel):
    """That it was done: nothing is said."""


class OutputTensor(TensorMetadata):
    """An output: its data, or how many bytes it has behind the JSON."""

    data: list[float | int | str] | None = None


class InferenceAnswer(BaseModel):
    """The outputs of a model for an input."""

    model_config = ConfigDict(protected_namespaces=())  # the protocol's names begin with model_

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, str] | None = None
    outputs: list[OutputTensor]


Parameters = Annotated[
    dict[str, Any] | None, Field(description="Names and values; unknown ones are ignored.")
]


class RequestInput(BaseModel):
    """One of the model's inputs."""

    name: Literal["image", "input"]
    shape: list[Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="The number of images, and for FP32 and UINT8 the size of one."
    )
    datatype: Literal["FP32", "UINT8", "BYTES"] = Field(
        description="FP32: of `input` what the network sees, normalised, of `image` 0..1. UINT8: "
        "the stored form, 0..255. BYTES: encoded images."
    )
    parameters: Parameters = None
    data: list[Any] = Field(description="Flat or nested; in a BYTES tensor, each image as base64.")


class RequestOutput(BaseModel):
    """An output that is wanted."""

    name: Literal["probabilities", "logits", "index", "label"]
    parameters: Parameters = None


class InferenceRequest(BaseModel):
    """Images for a model."""

    id: str | None = Field(None, description="Repeated in the answer.")
    parameters: Parameters = None
    inputs: list[RequestInput] = Field(min_length=1, max_length=2)
    outputs: list[RequestOutput] | None = Field(
        None, description="The outputs wanted, in this order; all if none."
    )


_REF = "#/components/schemas/{model}"
# Bodies that are read without pydantic, and so are in the document by these names alone.
REQUESTS: dict[str, Any] = models_json_schema(
    [(InferenceRequest, "validation")], ref_template=_REF
)[1]["$defs"]
_BYTES = {"type": "string", "format": "binary"}

INFERENCE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": _REF.format(model="InferenceRequest")}},
            "application/octet-stream": {
                "schema": _BYTES
                | {
                    "description": "A JSON object whose inputs have `binary_data_size` among their "
                    "parameters, then their bytes."
                }
            },
        },
    }
}

INFERENCE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": InferenceAnswer,
        "description": "The outputs; where some are binary, their bytes follow the JSON, whose "
        "length is the header Inference-Header-Content-Length.",
        "content": {"application/octet-stream": {"schema": _BYTES}},
    }
}

LENGTH = "Inference-Header-Content-Length"
# What a request for an inference says beside its body; its route looks for it itself.
INFERENCE_PARAMETERS: list[dict[str, Any]] = [
    {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
    {
        "name": LENGTH,
        "in": "header",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "description": "The length of the JSON that binary data follows.",
    },
    {
        "name": "Content-Encoding",
        "in": "header",
        "schema": {"type": "string", "enum": ["gzip", "deflate"]},
        "description": "How the body is compressed; an answer never is.",
    },
]
VERSION: dict[str, Any] = {
    "parameters": [
        {
            "name": "version",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "A whole number from 1.",
        }
    ]
}
