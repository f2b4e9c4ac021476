"""The classifier under BentoML: bentoml serve bentoml_digits:Digits."""

from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import DType
from numpy.typing import NDArray
from session import probabilities, session


@bentoml.service(workers=1)
class Digits:
    """Answers with the probabilities of each image."""

    def __init__(self) -> None:
        self.session = session()

    @bentoml.api
    def predict(self, image: Annotated[NDArray[np.uint8], DType("uint8")]) -> NDArray[np.float32]:
        """Returns the probabilities of images."""
        found: NDArray[np.float32] = probabilities(self.session, image)
        return found
