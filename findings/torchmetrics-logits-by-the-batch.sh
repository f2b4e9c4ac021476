#!/usr/bin/env bash
# torchmetrics decides for each batch whether scores are logits or probabilities: logits that all happen to lie between 0 and 1 are not squashed, so a metric hangs on how the data were cut into batches.
#
# Versions: torchmetrics 1.9.0, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: binary and multilabel metrics, and calibration_error, take both. If any number of the batch is below 0 or above 1, all are put through a sigmoid (a softmax for classes), else they are taken as they are. A logit of 0.3 is 0.57 and above the threshold
# beside one of 1.5, and 0.3 and below it without. MetricCollection and the classes with update() decide anew in each update. No argument says which it is.
#
# Why a good guess is wrong: the rule stands in the documentation and reads as a service for those who forgot the sigmoid; logits, which are all over the place, are surely told from probabilities. But small batches (one image in a server, the last
# one of an epoch) and small logits (a network at the start, strong regularisation, logits divided by a temperature) do lie in 0 to 1. The accuracy of the first epochs is too low, and a temperature, which cannot change a decision, changes it.
#
# What a program like ours must do: apply the sigmoid or softmax oneself, always; test a metric with batches of 1 against one batch of all.
#
# Seen (logits 0.2, 0.4, 0.6, 0.8 and 1.5, all above 0 and all right; of two classes these and 0; how many a batch, and all of them divided by 2):
#   metric                      squashed first  logits, 5  2 a batch  1 a batch  halved, 5
#   BinaryAccuracy              1.000           1.000      0.600      0.600      0.200
#   BinaryF1Score               1.000           1.000      0.750      0.750      0.333
#   BinaryCalibrationError      0.340           0.340      0.436      0.436      0.650
#   MultilabelAccuracy          1.000           1.000      0.600      0.600      0.200
#   MulticlassCalibrationError  0.340           0.340      0.436      0.436      0.650
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 torchmetrics==1.9.0

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import torch
from torchmetrics.classification import (
    BinaryAccuracy,
    BinaryCalibrationError,
    BinaryF1Score,
    MulticlassCalibrationError,
    MultilabelAccuracy,
)

LOGITS = torch.tensor([0.2, 0.4, 0.6, 0.8, 1.5])
RIGHT = torch.ones(5, dtype=torch.long)
PAIRS = torch.stack([LOGITS, torch.zeros(5)], dim=1)
METRICS = {
    "BinaryAccuracy": (BinaryAccuracy, LOGITS, torch.sigmoid, RIGHT),
    "BinaryF1Score": (BinaryF1Score, LOGITS, torch.sigmoid, RIGHT),
    "BinaryCalibrationError": (BinaryCalibrationError, LOGITS, torch.sigmoid, RIGHT),
    "MultilabelAccuracy": (lambda: MultilabelAccuracy(2), LOGITS.repeat(2, 1).T, torch.sigmoid, RIGHT.repeat(2, 1).T),
    "MulticlassCalibrationError": (
        lambda: MulticlassCalibrationError(2),
        PAIRS,
        lambda logits: logits.softmax(1),
        RIGHT - 1,
    ),
}


def value(make, scores, labels, size):
    metric = make()
    for start in range(0, 5, size):
        metric.update(scores[start : start + size], labels[start : start + size])
    return f"{metric.compute():.3f}"


DESCRIBED = {
    "BinaryAccuracy": "1.000 1.000 0.600 0.600 0.200",
    "BinaryF1Score": "1.000 1.000 0.750 0.750 0.333",
    "BinaryCalibrationError": "0.340 0.340 0.436 0.436 0.650",
    "MultilabelAccuracy": "1.000 1.000 0.600 0.600 0.200",
    "MulticlassCalibrationError": "0.340 0.340 0.436 0.436 0.650",
}
same = True
print(f"{'metric':28}{'squashed first':16}{'logits, 5':11}{'2 a batch':11}{'1 a batch':11}halved, 5")
for name, (make, logits, squash, labels) in METRICS.items():
    cases = [(squash(logits), 5), (logits, 5), (logits, 2), (logits, 1), (logits / 2, 5)]
    seen = [value(make, scores, labels, size) for scores, size in cases]
    print("{:28}{:16}{:11}{:11}{:11}{}".format(name, *seen))
    same &= " ".join(seen) == DESCRIBED[name] and seen[0] == value(make, squash(logits), labels, 1)
sys.exit(not same)
PY
