"""The framing of photographs as operators of ONNX: what `images.framing` does, within a file."""
