"""A network of one's own in a training: what it sees, how it is made and how it is kept."""

from dataclasses import dataclass, replace

from torch import nn

from holmdel.errors import UserError
from holmdel.networks import NETWORKS
from holmdel.programs.exported import Exported, Size, export
from holmdel.programs.forms import last_kind
from holmdel.programs.own import Given, Own, own
from holmdel.programs.program import last_layer

SIDES = (28, 32, 64, 96, 224)  # tried in turn where nobody says what it sees
FIRST = SIDES[0]  # what files and arrays of images are usually of
FLEXIBLE = 64  # the side taken for a folder's images by a network that takes any


@dataclass(frozen=True)
class Made:
    """A network of one's own, joined with a data set.

    Attributes:
        own: what the user gave.
        classes: how many there are.
        size: (C, H, W) of what it sees.
        exported: it as data.
    """

    own: Own
    classes: int
    size: Size
    exported: Exported

    @classmethod
    def of(cls, own: Own, classes: int, size: Size) -> "Made":
        """Returns a network for so many classes and such images.

        Raises:
            UserError: if it does not run for them, or cannot be kept.
        """
        return cls(own, classes, size, export(own.build(classes, size), size))

    def build(self) -> nn.Module:
        """Returns the network to train, new.

        Where the program trains as the module does, it is the program's: the native engine knows
        layers and sums of what they give, and not what a forward() does.
        """
        network = self.own.build(self.classes, self.size)
        return self.exported.network(network).train() if self.exported.alike else network

    def kept(self, trained: nn.Module) -> nn.Module:
        """Returns the network to keep, in eval mode, with a trained one's weights."""
        return self.exported.network(trained)

    @property
    def advice(self) -> str | None:
        """What to say of a network that would learn better otherwise."""
        if last_kind(self.exported.program) != "Softmax":
            return None
        return (
            f"{self.own.name} ends in a softmax, and the loss takes logits; leave it out, and it "
            "learns faster and is surer where it is right"
        )

    @property
    def last_layer(self) -> str | None:
        """The path of the layer whose weights a factor on the logits goes into, if there is one."""
        return last_layer(self.exported.program)


def own_network(network: Given) -> Own | None:
    """Returns a network of the user's own, under a name that none of ours has; None for a name.

    Raises:
        UserError: see `programs.own.own`.
    """
    found = own(network)
    return replace(found, name=f"own-{found.name}") if found and found.name in NETWORKS else found


def size_of(own: Own, stored: Size | None, first: int = FLEXIBLE) -> Size:
    """Returns (C, H, W) of what a network sees: what it runs for.

    Args:
        own: the network.
        stored: of the images of a data set that has a size; None for images that are brought to
            the network's.
        first: the side that is tried first there.

    Raises:
        UserError: if it runs for none of the usual sizes.
    """
    if stored is None:
        sides = (first, *SIDES)
        sizes = [(channels, side, side) for channels in (1, 3) for side in sides]
    else:
        sizes = [stored, *((stored[0], side, side) for side in SIDES if side > stored[1])]
    found = own.first_size(sizes)
    if found is None:
        own.build(2, sizes[0])  # says why
        raise UserError(f"{own.name} sees images of another size; say which with input, as CxHxW")
    return found
