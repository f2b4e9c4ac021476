"""The benchmark: Holmdel beside PyTorch, ONNX Runtime and the book's loop, all in one run.

`cases.CASES` lists what is measured; `holmdel bench` runs it. Nothing is loaded here, so that the
children whose start-up is part of a figure start quickly.
"""
