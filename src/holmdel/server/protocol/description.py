"""What a model takes and gives, as metadata and as a configuration."""

from typing import TYPE_CHECKING, Any

from holmdel.server.protocol.inputs import IMAGE, NORMALISED, limits
from holmdel.server.protocol.tensors import OUTPUTS, RANKED
from holmdel.version import __version__

if TYPE_CHECKING:
    from holmdel.server.models import Model

# Triton's names; `model_repository`, which has loading too, is among them where that is allowed.
EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "schedule_policy",
    "statistics",
)

_PLATFORM = "holmdel"


def server_metadata(*, loading: bool) -> dict[str, Any]:
    """Returns the server's name and version, and what it does beyond the protocol.

    Args:
        loading: whether requests may load models.
    """
    extensions = sorted([*EXTENSIONS, *(["model_repository"] if loading else [])])
    return {"name": "holmdel", "version": __version__, "extensions": extensions}


def metadata(model: "Model", versions: list[str]) -> dict[str, Any]:
    """Returns a model's inputs and outputs, as `ModelMetadata` has them.

    A request gives one of the inputs; the first cannot be misread.

    Args:
        model: the one that is meant.
        versions: all that there are of it.
    """
    contract = model.classifier.contract
    low, high = limits(contract)
    classes = len(model.classifier.classes)
    return {
        "name": model.name,
        "versions": versions,
        "platform": _PLATFORM,
        "inputs": [
            {
                "name": IMAGE,
                "datatype": "UINT8",
                "shape": [-1, *contract.stored],
                "parameters": {"layout": "NCHW", "range": "0..255", "range_fp32": "0..1"},
            },
            {
                "name": NORMALISED,
                "datatype": "FP32",
                "shape": [-1, *contract.input],
                "parameters": {
                    "layout": "NCHW",
                    "mean": contract.mean,
                    "std": contract.std,
                    "range": f"{low:.4f}..{high:.4f}",
                },
            },
        ],
        "outputs": [
            {
                "name": name,
                "datatype": datatype,
                "shape": [-1, classes] if name in RANKED else [-1],
            }
            for name, datatype in OUTPUTS.items()
        ],
    }


def configuration(model: "Model", rows: int, batch: int) -> dict[str, Any]:
    """Returns a model's configuration, as `ModelConfiguration` has it.

    Args:
        model: the one that is meant.
        rows: the most images of a request.
        batch: the most images that go through the network together.
    """
    said = metadata(model, [model.version])
    inputs, outputs = said["inputs"], said["outputs"]
    return {
        "name": model.name,
        "platform": _PLATFORM,
        "backend": _PLATFORM,
        "version_policy": {"all": {}},
        "max_batch_size": rows,
        "input": [
            _tensor(tensor) | {"format": "FORMAT_NONE", "optional": True} for tensor in inputs
        ],
        "output": [_tensor(tensor) | {"label_filename": ""} for tensor in outputs],
        "dynamic_batching": {"preferred_batch_size": [batch], "max_queue_delay_microseconds": 0},
        "parameters": {
            f"{tensor['name']}.{name}": {"string_value": str(value)}
            for tensor in inputs
            for name, value in tensor["parameters"].items()
        }
        | {"labels": {"string_value": ",".join(model.classifier.classes)}},
    }


def _tensor(tensor: dict[str, Any]) -> dict[str, Any]:
    kind = "STRING" if tensor["datatype"] == "BYTES" else tensor["datatype"]
    return {"name": tensor["name"], "data_type": f"TYPE_{kind}", "dims": tensor["shape"][1:]}
