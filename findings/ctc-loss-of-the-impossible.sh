#!/usr/bin/env bash
# The CTC loss of a text too long for its line is infinite, 1e5, or 0: for PaddlePaddle such a line is read without a mistake.
#
# Versions: paddlepaddle 3.3.1, optax 0.2.8, jax 0.10.2, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: CTC gives at most one character a step, and needs a blank between two equal ones: "111" takes 5 steps. For 4 steps no path gives it, its probability is 0 and the loss infinite. PyTorch says so.
# optax, and Keras on JAX that uses the same way, stands in for log 0 by -1e5 and says 1e5. Paddle says 0, which is the loss of a line that is surely right, and its
# gradient is 0. For a text that just fits all agree.
#
# Why a good guess is wrong: PyTorch's infinity is known, as it ruins the weights, and so there is zero_infinity, which is off by default. One expects the same of others that bind the same algorithm, or an error. With
# Paddle, lines whose text is too long (a narrow crop, a stride that was doubled, a wrong label) lower the mean loss: the more of them, the better the training looks. With
# optax one line in a thousand adds 100 to the mean, without a NaN that one would look for.
#
# What a program like ours must do: count steps against characters and repeats before the loss, and leave such lines out or widen them; never let the framework decide.
#
# Seen (all characters equally likely at each of 4 steps, alphabet of a blank and two characters):
#   text  steps needed  PyTorch  Paddle  optax
#   121   3             2.45     2.45    2.45
#   112   4             4.39     4.39    4.39
#   111   5             inf      0       1e+05
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 optax==0.2.8 jax==0.10.2 jaxlib==0.10.2
"$dir/env/bin/pip" install -qq numpy==2.4.6 paddlepaddle==3.3.1
"$dir/env/bin/pip" install -qq torch==2.13.0

cat > "$dir/by_torch.py" <<'PY'
import torch


def loss(text):
    logits = torch.zeros(4, 1, 3).log_softmax(2)
    lengths = torch.tensor([4]), torch.tensor([3])
    return torch.nn.functional.ctc_loss(logits, torch.tensor([text]), *lengths, reduction="sum")
PY

cat > "$dir/by_paddle.py" <<'PY'
import numpy as np
import paddle


def loss(text):
    lengths = paddle.to_tensor(np.array([4])), paddle.to_tensor(np.array([3]))
    labels = paddle.to_tensor(np.array([text], np.int32))
    return paddle.nn.functional.ctc_loss(paddle.zeros([4, 1, 3]), labels, *lengths, reduction="sum")
PY

cat > "$dir/by_optax.py" <<'PY'
import jax.numpy as jnp
import optax


def loss(text):
    return optax.ctc_loss(jnp.zeros((1, 4, 3)), jnp.zeros((1, 4)), jnp.array([text]), jnp.zeros((1, 3)))[0]
PY

cd "$dir"
for library in torch paddle optax; do
  # Paddle warns on the error output of a compiler that is not there.
  env/bin/python -c "
from by_$library import loss
for text in ([1, 2, 1], [1, 1, 2], [1, 1, 1]):
    print(f'{float(loss(text)):.3g}')
" > "$library" 2> errors || { cat errors >&2; exit 1; }
done
printf '%-6s%-14s%-9s%-8s%s\n' text 'steps needed' PyTorch Paddle optax
paste -d' ' <(printf '121 3\n112 4\n111 5\n') torch paddle optax | tee seen | while read -r line; do
  # shellcheck disable=SC2086
  printf '%-6s%-14s%-9s%-8s%s\n' $line
done
[ "$(xargs < seen)" = "121 3 2.45 2.45 2.45 112 4 4.39 4.39 4.39 111 5 inf 0 1e+05" ]
