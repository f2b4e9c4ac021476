"""`holmdel.serve`: the playground from Python."""

import json
import urllib.request

import pytest
from torch import nn

import holmdel
from holmdel.errors import UserError


@pytest.mark.exhaustive
def test_a_network_in_memory_is_served_in_a_frame():
    net = nn.Sequential(nn.Conv2d(1, 2, 5), nn.Sigmoid(), nn.Flatten(), nn.Linear(1152, 10))
    playground = holmdel.serve(net)
    try:
        with urllib.request.urlopen(f"{playground.url}/v1/models") as answer:
            models = json.loads(answer.read())["models"]
        assert [model["name"] for model in models] == ["Sequential"]
        assert f'<iframe src="{playground.url}"' in playground._repr_html_()
    finally:
        playground.stop()
    playground.stop()  # nothing more to do
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(playground.url, timeout=2)


def test_what_is_no_model_is_refused():
    with pytest.raises(UserError, match=r"a int was given to serve; expected a torch\.nn\.Module"):
        holmdel.serve(3)
    with pytest.raises(UserError, match="nowhere"):
        holmdel.serve("nowhere")
