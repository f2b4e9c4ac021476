"""Calibration: probabilities that agree with how often they are right."""

import pytest
import torch
from torch import nn

import holmdel as library
from holmdel.training.folding import calibrate


def test_a_network_that_is_too_modest_by_three_is_made_three_times_as_sure():
    """Labels drawn from softmax(3 x): the best factor on the logits x is 3."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20_000, 5, generator=generator)
    labels = torch.multinomial((3 * logits).softmax(1), 1, generator=generator).flatten()
    network = nn.Sequential(nn.Linear(5, 5))
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(5))
        network[0].bias.zero_()
    factor = calibrate(network, [(logits, labels)])
    assert factor == pytest.approx(3, rel=0.03)
    assert torch.allclose(network(logits), factor * logits, atol=1e-5)


def test_label_smoothing_no_longer_makes_a_network_modest():
    common = {"recipe": "modern", "epochs": 6, "batch_size": 32}
    runs = {
        calibrated: library.train(
            "lenet", "digits", out=f"run{calibrated}", calibrate=calibrated, **common
        )
        for calibrated in (True, False)
    }
    found = {key: library.evaluate(run.folder, "digits") for key, run in runs.items()}
    assert found[True].accuracy == found[False].accuracy == runs[True].test_acc
    assert found[True].ece < 0.5 * found[False].ece
    assert found[True].loss < found[False].loss
