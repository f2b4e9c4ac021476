#!/usr/bin/env bash
# torcheval counts a network that answers NaN, or the same for all classes, as right in all of its top-2 answers, and as one in ten in its top-1.
#
# Versions: torcheval 0.0.7, torchmetrics 1.9.0, pytorch-ignite 0.5.5, scikit-learn 1.9.1, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: multiclass_accuracy with k of 2 or more counts the classes whose score is larger than that of the label, and calls the answer right if there are fewer than k. No comparison with NaN is true, and none of equal
# numbers: there are 0 such classes, for every label. With k=1 it takes another way, argmax, as the others do for all k. hit_rate and reciprocal_rank count alike, with k=1 too: a NaN has the first rank.
# torchmetrics and ignite pick k classes, whichever; a label is among them in k of 10 cases. scikit-learn refuses NaN.
#
# Why a good guess is wrong: top-2 is expected to be a little above top-1, and here it is, in every network that answers. A training that diverges shows in top-1, which falls to chance; who watches top-5, as one does with
# many classes, or keeps the weights of the best top-2, sees it jump to 100 % and keeps the broken ones. So does a network whose ReLUs are all dead, or whose weights were never loaded. Ties are no rare case, either:
# logits of 8 bits have many, and each of them is counted for the label.
#
# What a program like ours must do: count k ranks by a stable sort, ties against the label, and look for NaN before any metric; test a metric with a constant network, which must be at chance.
#
# Seen (10 images, one of each class):
#   logits       metric            k=1  k=2
#   NaN          torcheval         0.1  1.0
#   NaN          hit_rate          1.0  1.0
#   NaN          torchmetrics      0.1  0.2
#   NaN          ignite            0.1  0.2
#   NaN          scikit-learn      refused  refused
#   all equal    torcheval         0.1  1.0
#   all equal    hit_rate          1.0  1.0
#   all equal    torchmetrics      0.1  0.2
#   all equal    ignite            0.1  0.2
#   all equal    scikit-learn      0.1  0.2
#   right first  torcheval         1.0  1.0
#   right last   torcheval         0.0  0.0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 torcheval==0.0.7 torchmetrics==1.9.0 pytorch-ignite==0.5.5 scikit-learn==1.9.1

"$dir/env/bin/python" - <<'PY'
import sys

import torch
from ignite.metrics import TopKCategoricalAccuracy
from sklearn.metrics import top_k_accuracy_score
from torcheval.metrics.functional import hit_rate, multiclass_accuracy
from torchmetrics.functional.classification import multiclass_accuracy as lightning_accuracy

LABELS = torch.arange(10)
LOGITS = {
    "NaN": torch.full((10, 10), float("nan")),
    "all equal": torch.zeros(10, 10),
    "right first": torch.eye(10),
    "right last": -torch.eye(10),
}


def by_ignite(logits, k):
    metric = TopKCategoricalAccuracy(k)
    metric.update((logits, LABELS))
    return metric.compute()


def by_sklearn(logits, k):
    return top_k_accuracy_score(LABELS.numpy(), logits.numpy(), k=k, labels=range(10))


METRICS = {
    "torcheval": lambda logits, k: multiclass_accuracy(logits, LABELS, k=k),
    "hit_rate": lambda logits, k: hit_rate(logits, LABELS, k=k).mean(),
    "torchmetrics": lambda logits, k: lightning_accuracy(logits, LABELS, num_classes=10, top_k=k, average="micro"),
    "ignite": by_ignite,
    "scikit-learn": by_sklearn,
}
CASES = [
    ("NaN", "torcheval", "0.1 1.0"),
    ("NaN", "hit_rate", "1.0 1.0"),
    ("NaN", "torchmetrics", "0.1 0.2"),
    ("NaN", "ignite", "0.1 0.2"),
    ("NaN", "scikit-learn", "refused refused"),
    ("all equal", "torcheval", "0.1 1.0"),
    ("all equal", "hit_rate", "1.0 1.0"),
    ("all equal", "torchmetrics", "0.1 0.2"),
    ("all equal", "ignite", "0.1 0.2"),
    ("all equal", "scikit-learn", "0.1 0.2"),
    ("right first", "torcheval", "1.0 1.0"),
    ("right last", "torcheval", "0.0 0.0"),
]


def score(metric, logits, k):
    try:
        return f"{float(METRICS[metric](LOGITS[logits], k)):.1f}"
    except ValueError:
        return "refused"


same = True
print(f"{'logits':13}{'metric':18}k=1  k=2")
for logits, metric, described in CASES:
    seen = [score(metric, logits, k) for k in (1, 2)]
    print(f"{logits:13}{metric:18}{'  '.join(seen)}")
    same &= " ".join(seen) == described
sys.exit(not same)
PY
