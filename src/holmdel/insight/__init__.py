"""What a network does with one image: every layer's values, what a unit adds up, what matters."""

from holmdel.insight.activations import Activation, Activations, activations, has_kernels, kernels
from holmdel.insight.importance import Occlusion, occlusion, saliency, squares
from holmdel.insight.scaling import Scaled, encoded, plain, scaled
from holmdel.insight.units import Unit, explain, explains
from holmdel.tracing.sums import Sum, Window

__all__ = [
    "Activation",
    "Activations",
    "Occlusion",
    "Scaled",
    "Sum",
    "Unit",
    "Window",
    "activations",
    "encoded",
    "explain",
    "explains",
    "has_kernels",
    "kernels",
    "occlusion",
    "plain",
    "saliency",
    "scaled",
    "squares",
]
