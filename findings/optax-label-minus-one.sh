#!/usr/bin/env bash
# optax's cross-entropy takes a label of -1 for the last class, and one that is too large, or -100, for NaN.
#
# Versions: optax 0.2.8, jax 0.10.2, numpy 2.4.6.
#
# Behaviour: softmax_cross_entropy_with_integer_labels picks the logit of each label by JAX's indexing, which counts from the end for small negative numbers, as Python does, and gives NaN beyond both ends. So -1 is the last class and
# -K the first of K; -K-1 and K are NaN.
#
# Why a good guess is wrong: -1 marks what has no label in many data sets (unlabelled, blank, padding), and libraries either ignore a label that is told to them or refuse one out of range: PyTorch raises an error, Keras on TensorFlow
# too. One knows that JAX cannot raise errors in compiled code, and expects NaN, as for 10 of 10 classes. Instead the loss is that of the last class, finite and with a gradient: a network learns that what has no label is a 9,
# and the loss goes down.
#
# What a program like ours must do: look at labels when a data set is loaded, before JAX has them; mask with `where=` or weights, and put 0 in the place of what is masked.
#
# Seen (logits 0, ln 2 and ln 5 for three classes):
#   label  loss
#   2      0.4700
#   -1     0.4700
#   -3     2.0794
#   0      2.0794
#   3      nan
#   -100   nan
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 jax==0.10.2 jaxlib==0.10.2 optax==0.2.8

"$dir/env/bin/python" - <<'PY'
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

LOGITS = jnp.log(jnp.array([[1.0, 2.0, 5.0]]))
LABELS = {2: "0.4700", -1: "0.4700", -3: "2.0794", 0: "2.0794", 3: "nan", -100: "nan"}
loss = jax.jit(optax.softmax_cross_entropy_with_integer_labels)
same = True
print(f"{'label':7}loss")
for label, described in LABELS.items():
    seen = f"{float(loss(LOGITS, jnp.array([label]))[0]):.4f}"
    print(f"{label:<7}{seen}")
    same &= seen == described
gradient = np.asarray(jax.grad(lambda logits: loss(logits, jnp.array([-1])).sum())(LOGITS))
sys.exit(not same or not gradient[0, 2] < 0)
PY
