"""What a network is made of, layer by layer."""

from holmdel.anatomy.quick import weightless
from holmdel.anatomy.table import Anatomy, Group, Layer
from holmdel.anatomy.trace import inspect_module

__all__ = ["Anatomy", "Group", "Layer", "inspect_module", "weightless"]
