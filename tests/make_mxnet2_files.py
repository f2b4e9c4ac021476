"""Writes a file of the real MXNet 2, and the logits that it gave, for test_foreign_files.py.

    python tests/make_mxnet2_files.py FOLDER

Needs mxnet==2.0.0b1 and numpy<1.24.
"""

import json
import sys
from pathlib import Path

import mxnet
import numpy
from mxnet import gluon


def main():
    """Writes LeNet with max pooling on pictures of 20x20, its weights of few values."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    nn = gluon.nn
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(6, kernel_size=5, activation="sigmoid"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Conv2D(16, kernel_size=5, activation="sigmoid"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Dense(120, activation="sigmoid"),
        nn.Dense(84, activation="sigmoid"),
        nn.Dense(10),
    )
    net.initialize()
    numbers = numpy.arange(400, dtype=numpy.int64) * 7919 % 256 / 255
    picture = mxnet.np.array(numbers.astype(numpy.float32).reshape(1, 1, 20, 20))
    net(picture)  # the shapes follow from it
    rng = numpy.random.default_rng(0)
    for parameter in net.collect_params().values():
        shape = parameter.shape
        limit = 3.0 / numpy.sqrt(numpy.prod(shape[1:])) if len(shape) > 1 else 0.2
        parameter.set_data(mxnet.np.array(rng.integers(-7, 8, shape) / 7 * limit, dtype="float32"))
    net.save_parameters(str(folder / "mxnet2-lenet.params"))
    logits = net(picture).asnumpy()[0].tolist()
    (folder / "mxnet2-lenet.json").write_text(json.dumps(logits) + "\n")


if __name__ == "__main__":
    main()
