#!/usr/bin/env bash
# AveragePooling2D of Keras with padding="same" has other numbers along two edges on PyTorch than on its other backends.
#
# Versions: keras 3.15.1 on torch 2.13.0 and on jax 0.10.2, numpy 2.4.6.
#
# Behaviour: where "same" needs as many padding pixels on each side, all agree: padding does not count, a mean is over the pixels that are there. Where the number is odd (an even size with window 3 and stride
# 2 needs one), the odd pixel stands at the end, and Keras on PyTorch repeats the last row and column there and counts them. On JAX (and TensorFlow) they are left out. So the last row and
# column of the map differ, by as much as an edge weighs: a ramp's are off by 3 %, a line along the edge counts twice. Max pooling and convolutions agree.
#
# Why a good guess is wrong: that a network is the same on all backends is what Keras 3 is for, and with window 2 and stride 2, on even sizes, it is; with window 3 and stride 1, too. A
# difference in the last row looks like one of rounding after a few layers, and a network trained on the same backend is right in itself. It is off when its file is loaded on another, or exported from there.
#
# What a program like ours must do: take a file for what TensorFlow and JAX compute; compare with the backend that trained it; test pooling on even sizes with odd windows, and images that are not 0 at the edges.
#
# Seen (a row of 1 to 6, or 0 but for the last pixel; windows of 3 pixels):
#   row           window  stride  by hand          JAX              PyTorch
#   1 2 3 4 5 6   3       2       2 4 5.5          2 4 5.5          2 4 5.67
#   0 0 0 0 0 60  3       2       0 0 30           0 0 30           0 0 40
#   1 2 3 4 5 6   3       1       1.5 2 3 4 5 5.5  1.5 2 3 4 5 5.5  1.5 2 3 4 5 5.5
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 torch==2.13.0 numpy==2.4.6

cat > "$dir/pooled.py" <<'PY'
import keras
import numpy as np

CASES = [([1, 2, 3, 4, 5, 6], 3, 2), ([0, 0, 0, 0, 0, 60], 3, 2), ([1, 2, 3, 4, 5, 6], 3, 1)]


def by_hand(row, window, stride):
    padding = max((len(row) - 1) // stride * stride + window - len(row), 0)
    first = -(padding // 2)
    starts = range(first, first + len(row), stride)
    return [np.mean(row[max(start, 0) : start + window]) for start in starts]


def by_keras(row, window, stride):
    image = np.array(row, np.float32).reshape(1, 1, -1, 1)
    layer = keras.layers.AveragePooling2D((1, window), (1, stride), padding="same")
    return keras.ops.convert_to_numpy(layer(image)).ravel()


def text(values):
    return " ".join(f"{value:.3g}" for value in values)


if __name__ == "__main__":
    for case in CASES:
        print(f"{' '.join(map(str, case[0]))},{case[1]},{case[2]},{text(by_hand(*case))},{text(by_keras(*case))}")
PY

cd "$dir"
for backend in jax torch; do KERAS_BACKEND=$backend env/bin/python pooled.py > "$backend"; done
{ echo 'row,window,stride,by hand,JAX,PyTorch'; paste -d, jax <(cut -d, -f5 torch); } | tee seen | column -t -s,
[ "$(tail -n 3 seen | cut -d, -f4-)" = "2 4 5.5,2 4 5.5,2 4 5.67
0 0 30,0 0 30,0 0 40
1.5 2 3 4 5 5.5,1.5 2 3 4 5 5.5,1.5 2 3 4 5 5.5" ]
