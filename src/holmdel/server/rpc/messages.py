"""The messages of the Open Inference Protocol over gRPC.

specification/protocol/open_inference_grpc.proto of github.com/kserve/open-inference-protocol names
and numbers their fields; for the extensions grpc_service.proto and model_config.proto of
github.com/triton-inference-server/common do. They are made here, in a pool of their own, so that
nothing is generated and a client's modules may be loaded beside them.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SERVICE = "inference.GRPCInferenceService"

_ONE_OF = "bool_param bool, int64_param int64, string_param string, "
_TENSOR = "name string, datatype string, shape int64*, parameters {}, contents InferTensorContents"
_MODEL = "name string, version string"
_LOADING = "repository_name string, model_name string, parameters {ModelRepositoryParameter}"
_TOOK = "compute_input {0}, compute_infer {0}, compute_output {0}".format("StatisticDuration")
# Fields in the order of their numbers, from 1, except where a `:number` stands behind the name;
# `*` is repeated, `{}` a map of parameters, `{Message}` a map of such messages.
_FIELDS = {
    "InferParameter": _ONE_OF + "double_param double, uint64_param uint64",
    "InferTensorContents": "bool_contents bool*, int_contents int32*, int64_contents int64*, "
    "uint_contents uint32*, uint64_contents uint64*, fp32_contents float*, "
    "fp64_contents double*, bytes_contents bytes*",
    "InferTensor": _TENSOR,
    "InferRequestedOutputTensor": "name string, parameters {}",
    "TensorMetadata": "name string, datatype string, shape int64*",
    "ServerLiveRequest": "",
    "ServerLiveResponse": "live bool",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "ready bool",
    "ModelReadyRequest": _MODEL,
    "ModelReadyResponse": "ready bool",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "name string, version string, extensions string*",
    "ModelMetadataRequest": _MODEL,
    "ModelMetadataResponse": "name string, versions string*, platform string, "
    "inputs TensorMetadata*, outputs TensorMetadata*",
    "ModelInferRequest": "model_name string, model_version string, id string, parameters {}, "
    "inputs InferTensor*, outputs InferRequestedOutputTensor*, raw_input_contents bytes*",
    "ModelInferResponse": "model_name string, model_version string, id string, parameters {}, "
    "outputs InferTensor*, raw_output_contents bytes*",
    # What follows are extensions of Triton's.
    "ModelStreamInferResponse": "error_message string, infer_response ModelInferResponse",
    "ModelConfigRequest": _MODEL,
    "ModelConfigResponse": "config ModelConfig",
    "ModelConfig": "name string, platform string, version_policy ModelVersionPolicy, "
    "max_batch_size int32, input ModelInput*, output ModelOutput*, "
    "dynamic_batching:11 ModelDynamicBatching, parameters:14 {ModelParameter}, backend:17 string",
    "ModelVersionPolicy": "all:2 All",
    "All": "",
    "ModelInput": "name string, data_type DataType, dims:4 int64*, optional:8 bool",
    "ModelOutput": "name string, data_type DataType, dims int64*, label_filename string",
    "ModelDynamicBatching": "preferred_batch_size int32*, max_queue_delay_microseconds uint64",
    "ModelParameter": "string_value string",
    "ModelStatisticsRequest": _MODEL,
    "ModelStatisticsResponse": "model_stats ModelStatistics*",
    "ModelStatistics": "name string, version string, last_inference uint64, "
    "inference_count uint64, execution_count uint64, inference_stats InferStatistics, "
    "batch_stats InferBatchStatistics*",
    "StatisticDuration": "count uint64, ns uint64",
    "InferStatistics": "success {0}, fail {0}, queue {0}, ".format("StatisticDuration")
    + f"{_TOOK}, cache_hit StatisticDuration",
    "InferBatchStatistics": f"batch_size uint64, {_TOOK}",
    "RepositoryIndexRequest": "repository_name string, ready bool",
    "RepositoryIndexResponse": "models ModelIndex*",
    "ModelIndex": "name string, version string, state string, reason string",
    "ModelRepositoryParameter": _ONE_OF + "bytes_param bytes",
    "RepositoryModelLoadRequest": _LOADING,
    "RepositoryModelLoadResponse": "",
    "RepositoryModelUnloadRequest": _LOADING,
    "RepositoryModelUnloadResponse": "",
}
_DATATYPES = {"TYPE_INVALID": 0, "TYPE_UINT8": 2, "TYPE_INT64": 9, "TYPE_FP32": 11}
_DATATYPES["TYPE_STRING"] = 13
METHODS = (
    "ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer",
    "ModelStreamInfer", "ModelConfig", "ModelStatistics", "RepositoryIndex",
    "RepositoryModelLoad", "RepositoryModelUnload",
)  # fmt: skip
STREAM = "ModelStreamInfer"
_CHOICE = "parameter_choice"
_Field = descriptor_pb2.FieldDescriptorProto


def _add_field(message: descriptor_pb2.DescriptorProto, number: int, said: str) -> None:
    """Adds a field, given as its name, perhaps with a number, and its type."""
    name, kind = said.split()
    name, _, own = name.partition(":")
    field = message.field.add(name=name, number=int(own or number), label=_Field.LABEL_OPTIONAL)
    if kind.startswith("{"):
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add_field(entry, 1, "key string")
        _add_field(entry, 2, f"value {kind[1:-1] or 'InferParameter'}")
        kind = f"{message.name}.{entry.name}*"
    if kind.endswith("*"):
        field.label, kind = _Field.LABEL_REPEATED, kind[:-1]
    if kind[0].isupper():
        enum = kind == "DataType"
        field.type = _Field.TYPE_ENUM if enum else _Field.TYPE_MESSAGE
        field.type_name = f".inference.{kind}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")


def _described() -> descriptor_pb2.FileDescriptorProto:
    """Returns the protocol's file, as a compiler would describe it."""
    file = descriptor_pb2.FileDescriptorProto(
        name="open_inference_grpc.proto", package="inference", syntax="proto3"
    )
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for number, said in enumerate(filter(None, fields.split(", ")), 1):
            _add_field(message, number, said)
        if name.endswith("Parameter") and name != "ModelParameter":
            message.oneof_decl.add(name=_CHOICE)
            for field in message.field:
                field.oneof_index = 0
    datatypes = file.enum_type.add(name="DataType")
    for name, number in _DATATYPES.items():
        datatypes.value.add(name=name, number=number)
    service = file.service.add(name=SERVICE.partition(".")[2])
    for name in METHODS:
        asked = "ModelInfer" if name == STREAM else name
        service.method.add(
            name=name,
            input_type=f".inference.{asked}Request",
            output_type=f".inference.{name}Response",
            client_streaming=name == STREAM,
            server_streaming=name == STREAM,
        )
    return file


POOL = descriptor_pool.DescriptorPool()
POOL.Add(_described())
MESSAGES: dict[str, Any] = {
    name: message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"inference.{name}"))
    for name in _FIELDS
}


def made(name: str, values: dict[str, Any]) -> Any:
    """Returns a message of JSON values; what it has no field for is left out."""
    return json_format.ParseDict(values, MESSAGES[name](), ignore_unknown_fields=True)


def values(parameters: Any) -> dict[str, Any]:
    """Returns the values of a map of parameters by name; one without a value is None."""
    found = {name: (one, one.WhichOneof(_CHOICE)) for name, one in parameters.items()}
    return {name: getattr(one, choice) if choice else None for name, (one, choice) in found.items()}
