"""A network drawn as papers draw LeNet, as an SVG file."""

from holmdel.anatomy.table import Anatomy
from holmdel.drawing.layout import arrange
from holmdel.drawing.scale import size_text
from holmdel.drawing.svg import svg

__all__ = ["draw"]


def draw(anatomy: Anatomy) -> str:
    """Returns a drawing of a network as the text of an SVG file, the same for the same anatomy.

    Stacks of maps as offset sheets, dense layers as bars, both to a scale that `<desc>` states;
    kernel, stride and padding at the connections, C@HxW above the blocks, names below. Activations,
    dropout and normalisations are folded into the layer before. After figure 2 of LeCun, Bottou,
    Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998).

    Raises:
        UserError: if there is no layer to draw.
    """
    layout = arrange(anatomy)
    parameters = f"{anatomy.totals.parameters:,} parameters"
    title = f"{anatomy.network}: {size_text(anatomy.input)}, {parameters}"
    return svg(title, layout.scale.sentence(), layout.box, layout.items, layout.blocks)
