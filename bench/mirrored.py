"""The accuracy of a network that is asked twice of an image: as it is, and mirrored."""

from torch import Tensor, nn

from holmdel.data import Split
from holmdel.data.dataset import Batches
from holmdel.evaluation import loss_and_accuracy
from holmdel.images.contract import ImageContract, to_input


def mirrored_accuracy(network: nn.Module, image: ImageContract, split: Split) -> float:
    """Returns the accuracy, 0..1, of the mean of the logits of images and of their mirror images.

    Args:
        network: from (N, C, H, W) to logits (N, classes), in eval mode.
        image: what it sees.
        split: images uint8 (N, C, H, W) and labels.
    """

    def answer(images: Tensor) -> Tensor:
        logits: Tensor = (network(images) + network(images.flip(3))) / 2
        return logits

    batches = Batches(split, lambda images: to_input(images, image), image.batch_size)
    return loss_and_accuracy(answer, batches)[1]
