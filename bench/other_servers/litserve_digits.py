"""The classifier under LitServe: python litserve_digits.py PORT."""

import sys
from typing import Any

import litserve
import numpy as np
from numpy.typing import NDArray
from session import probabilities, session


class Digits(litserve.LitAPI):
    """Answers with the probabilities of each image."""

    def setup(self, device: str) -> None:
        """Makes the session."""
        self.session = session()

    def decode_request(self, request: dict[str, Any]) -> NDArray[np.uint8]:
        """Returns the images of a request."""
        return np.asarray(request["image"], np.uint8)

    def predict(self, images: NDArray[np.uint8]) -> Any:
        """Returns their probabilities."""
        return probabilities(self.session, images)

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Returns the answer."""
        return {"probabilities": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Digits(), accelerator="cpu")
    server.run(port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
