"""The pictures of docs/primer.md; every number in them is computed by holmdel.ops."""

import primer_kernels as kernels
import primer_layers as layers

PICTURES = {
    "primer-cross-correlation.svg": kernels.cross_correlation,
    "primer-edge.svg": kernels.edge,
    "primer-learning.svg": kernels.learning,
    "primer-flip.svg": kernels.flip,
    "primer-receptive-field.svg": kernels.receptive_field,
    "primer-padding.svg": layers.padding,
    "primer-stride.svg": layers.stride,
    "primer-channels.svg": layers.channels,
    "primer-1x1.svg": layers.one_by_one,
    "primer-pooling.svg": layers.pooling,
    "primer-ceiling.svg": layers.ceiling,
}


def drawn() -> dict[str, str]:
    """Returns the text of every picture, by the name of its file."""
    return {name: str(draw()) for name, draw in PICTURES.items()}
