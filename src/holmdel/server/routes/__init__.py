"""The routes over HTTP, a file per group; `holmdel.server.app` puts them together.

page.py         /, /page/...                    the page's files
docs.py         /docs                           the routes, described for people
pages.py        /v1/page                        a page of a TIFF or PDF as PNG
classify.py     /v1/classify                    what an image shows
reading.py      /v1/read, /v1/read/inside       what is written on it, and how that was read
insight.py      /v1/models, /v1/activations, /v1/unit, /v1/kernels, /v1/saliency, /v1/occlusion
backward.py     /v1/gradients, /v1/backward, /v1/step: the way back, and a step of training
samples.py      /v1/samples, /v1/sample         images of a data set
networks.py     /v1/networks, /v1/data, /v1/anatomy
trainings.py    /v1/trainings...                start, follow, pause, stop, keep, delete
inference.py    /v2...                          the Open Inference Protocol, version 2
repository.py   /v2/repository/...              its models: index, loading, unloading
predict.py      /v1/models/NAME:predict         KServe's first protocol
"""
