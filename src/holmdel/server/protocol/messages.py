"""The messages of the Open Inference Protocol over gRPC.

specification/protocol/open_inference_grpc.proto of github.com/kserve/open-inference-protocol names
and numbers their fields. They are made here, in a pool of their own, so that nothing is generated
and a client's modules may be loaded beside them.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "inference.GRPCInferenceService"

_ONE_OF = "bool_param bool, int64_param int64, string_param string, double_param double, "
_ONE_OF += "uint64_param uint64"
_TENSOR = "name string, datatype string, shape int64*, parameters {}, contents InferTensorContents"
# Fields in the order of their numbers, from 1; `*` is repeated, `{}` a map of parameters.
_FIELDS = {
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
    "ModelReadyRequest": "name string, version string",
    "ModelReadyResponse": "ready bool",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "name string, version string, extensions string*",
    "ModelMetadataRequest": "name string, version string",
    "ModelMetadataResponse": "name string, versions string*, platform string, "
    "inputs TensorMetadata*, outputs TensorMetadata*",
    "ModelInferRequest": "model_name string, model_version string, id string, parameters {}, "
    "inputs InferTensor*, outputs InferRequestedOutputTensor*, raw_input_contents bytes*",
    "ModelInferResponse": "model_name string, model_version string, id string, parameters {}, "
    "outputs InferTensor*, raw_output_contents bytes*",
}
_PARAMETER = "InferParameter"
_Field = descriptor_pb2.FieldDescriptorProto


def _add_field(message: descriptor_pb2.DescriptorProto, number: int, said: str) -> None:
    """Adds a field, given as its name and type."""
    name, kind = said.split()
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind == "{}":
        entry = message.nested_type.add(name="ParametersEntry")
        entry.options.map_entry = True
        _add_field(entry, 1, "key string")
        _add_field(entry, 2, f"value {_PARAMETER}")
        kind = f"{message.name}.{entry.name}*"
    if kind.endswith("*"):
        field.label, kind = _Field.LABEL_REPEATED, kind[:-1]
    if kind[0].isupper():
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".inference.{kind}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{kind.upper()}")


def _made() -> dict[str, Any]:
    """Returns the classes of the messages by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="open_inference_grpc.proto", package="inference", syntax="proto3"
    )
    for name, fields in (_FIELDS | {_PARAMETER: _ONE_OF}).items():
        message = file.message_type.add(name=name)
        for number, said in enumerate(filter(None, fields.split(", ")), 1):
            _add_field(message, number, said)
        if name == _PARAMETER:
            message.oneof_decl.add(name="parameter_choice")
            for field in message.field:
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = (pool.FindMessageTypeByName(f"inference.{name}") for name in _FIELDS)
    return {one.name: message_factory.GetMessageClass(one) for one in found}


MESSAGES = _made()


def values(parameters: Any) -> dict[str, Any]:
    """Returns the values of a map of parameters by name; one without a value is None."""
    found = {name: (one, one.WhichOneof("parameter_choice")) for name, one in parameters.items()}
    return {name: getattr(one, choice) if choice else None for name, (one, choice) in found.items()}
