#!/usr/bin/env bash
# MLServer's codec sends an array of N answers as N x 1, and what is compared with N labels is then N x N; an infinite number arrives as NaN, and the text "false" as True.
#
# Versions: mlserver 1.7.1, numpy 2.4.6.
#
# Behaviour: NumpyCodec and NumpyRequestCodec write the Open Inference Protocol. An array of one axis, (N,), is encoded with shape [N, 1], and decoded by the same codec as (N, 1). In JSON inf, -inf and NaN all become null, and null is decoded as NaN.
# Numbers of another kind than the stated type are converted: 1.9 as INT32 is 1, "false" as BOOL is True, 70000 as FP16 is infinite; 300 as UINT8 is refused.
#
# Why a good guess is wrong: the protocol has shapes and types so that what was sent is what arrives, and arrays of two axes or more, and single numbers, keep theirs. Of a vector of classes the shape is the batch; NumPy broadcasts (N, 1) == (N,) to N x N without a word, and the mean
# of that is the agreement of all pairs. With 10 balanced classes each accuracy is 0.1. Logits with -inf for what is impossible are NaN at the client, whose largest then is NaN.
#
# What a program like ours must do: state shape and data itself, refuse numbers that JSON has not, and compare shapes before answers.
#
# Seen:
#   an array of 10 is sent, its shape       10x1
#   an array of 10 x 3                      10x3
#   accuracy of the right answers, as sent  0.1
#   the same, reshaped                      1.0
#   inf, -inf, nan and 1.5                  [nan, nan, nan, 1.5]
#   argmax of 0 -inf 2                      1
#   INT32 of 1.9                            [1]
#   BOOL of "false"                         [True]
#   FP16 of 70000                           [inf]
#   UINT8 of 300                            refused
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 mlserver==1.7.1

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
from mlserver.codecs import NumpyCodec
from mlserver.types import RequestInput

LABELS = np.arange(10)


def sent(array):
    wire = NumpyCodec.encode_input("x", array).model_dump_json()
    return NumpyCodec.decode_input(RequestInput.model_validate_json(wire))


def stated(datatype, value):
    try:
        return NumpyCodec.decode_input(RequestInput(name="x", datatype=datatype, shape=[1], data=[value])).tolist()
    except OverflowError:
        return "refused"


def shapes(*shape):
    return "x".join(map(str, sent(np.zeros(shape)).shape))


CASES = {
    "an array of 10 is sent, its shape": (shapes(10), "10x1"),
    "an array of 10 x 3": (shapes(10, 3), "10x3"),
    "accuracy of the right answers, as sent": (float((sent(LABELS) == LABELS).mean()), 0.1),
    "the same, reshaped": (float((sent(LABELS).ravel() == LABELS).mean()), 1.0),
    "inf, -inf, nan and 1.5": (sent(np.array([np.inf, -np.inf, np.nan, 1.5])).ravel().tolist(), "[nan, nan, nan, 1.5]"),
    "argmax of 0 -inf 2": (int(sent(np.array([[0, -np.inf, 2]])).argmax()), 1),
    "INT32 of 1.9": (stated("INT32", 1.9), [1]),
    'BOOL of "false"': (stated("BOOL", "false"), [True]),
    "FP16 of 70000": (stated("FP16", 70000), "[inf]"),
    "UINT8 of 300": (stated("UINT8", 300), "refused"),
}
same = True
for name, (seen, described) in CASES.items():
    print(f"{name:40}{seen}")
    same &= str(seen) == str(described)
sys.exit(not same)
PY
