#!/usr/bin/env bash
# Orbax restores float weights into a network of integers or booleans without a word: -2.7 becomes 254, and everything becomes True.
#
# Versions: orbax-checkpoint 0.12.8, jax 0.10.2, numpy 2.4.6.
#
# Behaviour: StandardCheckpointer.restore takes shapes and types of what is wanted (an abstract tree) and compares them with what is stored. A shape that differs is an error. A type that differs is a cast, by the
# rules of C: towards 0, wrapping round for bytes, not-zero for booleans. Nothing is printed, and nothing is in what comes back.
#
# Why a good guess is wrong: the abstract tree reads like a check, and is one for names and shapes, with long errors. That float32 comes back as bfloat16 is wanted and documented, so casts are no accident; that they go to integers is
# not thought of. The tree is often made from the network that is to be filled: if that one is quantised, or a mask of the same shape, or was built under another precision, weights fit. Flax' msgpack and safetensors hand
# out the type that was stored.
#
# What a program like ours must do: restore without an abstract tree, or with the types of the checkpoint's own metadata, compare kinds, and cast oneself.
#
# Seen (stored: 1.5, -2.7 and 300.2 in float32):
#   wanted             restored
#   float32            1.5 -2.7 300.2
#   int32              1 -2 300
#   uint8              1 254 44
#   bool               True True True
#   float32, 4 numbers error
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 jax==0.10.2 jaxlib==0.10.2 orbax-checkpoint==0.12.8

# Orbax logs what it does, and what is left of a refused restoring, on the error output.
"$dir/env/bin/python" - "$dir/checkpoint" 2> "$dir/errors" <<'PY' || { tail -n 20 "$dir/errors" >&2; exit 1; }
import sys

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

CASES = {
    "float32": (3, jnp.float32, "1.5 -2.7 300.2"),
    "int32": (3, jnp.int32, "1 -2 300"),
    "uint8": (3, jnp.uint8, "1 254 44"),
    "bool": (3, jnp.bool_, "True True True"),
    "float32, 4 numbers": (4, jnp.float32, "error"),
}
same = True
print(f"{'wanted':19}restored")
with ocp.StandardCheckpointer() as checkpointer:
    checkpointer.save(sys.argv[1], {"w": jnp.array([1.5, -2.7, 300.2], jnp.float32)})
    checkpointer.wait_until_finished()
    for name, (count, kind, described) in CASES.items():
        try:
            restored = checkpointer.restore(sys.argv[1], {"w": jax.ShapeDtypeStruct((count,), kind)})["w"]
            assert restored.dtype == kind
            seen = " ".join(map(str, np.asarray(restored)))
        except ValueError:
            seen = "error"
        print(f"{name:19}{seen}")
        same &= seen == described
sys.exit(not same)
PY
