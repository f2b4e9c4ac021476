"""What a network is made of, layer by layer."""

from holmdel.anatomy.table import Anatomy, Group, Layer
from holmdel.anatomy.trace import inspect_module, weightless

__all__ = ["Anatomy", "Group", "Layer", "inspect_module", "weightless"]
