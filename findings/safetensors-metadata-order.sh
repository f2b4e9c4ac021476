#!/usr/bin/env bash
# A safetensors file with two or more texts in its metadata has other bytes each time the same program writes it.
#
# Versions: safetensors 0.8.0, numpy 2.4.6.
#
# Behaviour: the texts of `metadata=` are kept in a hash map that is seeded by each process, and written in its order. The
# tensors are written in an order of their own that is always the same. So one text gives the same file every time, and
# four texts give as many files as there are orders; the size is the same, and what is loaded is equal.
#
# Why a good guess is wrong: Python's dictionaries keep their order, the tensors of the format come in a stated one, and a
# test that writes the same file twice within one process may pass by luck, and always does with one text.
#
# What a program like ours must do: where a training that is resumed must end with the same file bit for bit, or a file is
# named by its digest, put all there is to say into one text, as JSON, the checksum of the tensors too.
#
# Seen, of eight processes that wrote a tensor: with one text 1 digest; with four texts 7 to 8.
#
# Ends with 0 while this is so, with 1 once the order is kept.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 safetensors==0.8.0

cat > "$dir/write.py" <<'PY'
import hashlib
import sys

import numpy as np
from safetensors.numpy import save

texts = {letter: letter for letter in "abcd"[: int(sys.argv[1])]}
print(hashlib.sha256(save({"x": np.zeros(1, np.float32)}, metadata=texts)).hexdigest())
PY

digests() { for _ in 1 2 3 4 5 6 7 8; do "$dir/env/bin/python" "$dir/write.py" "$1"; done | sort -u | wc -l; }
one=$(digests 1) four=$(digests 4)
echo "eight processes, one text: $one digest(s); four texts: $four"
[ "$one" -eq 1 ] && [ "$four" -gt 1 ]
