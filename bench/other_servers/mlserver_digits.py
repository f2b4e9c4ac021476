"""The classifier under MLServer."""

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from session import probabilities, session


class Digits(MLModel):
    """Answers with the probabilities of each image."""

    async def load(self) -> bool:
        """Makes the session."""
        self.session = session()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Returns the answer to a request of one input."""
        images = NumpyCodec.decode_input(payload.inputs[0])
        found = probabilities(self.session, images)
        outputs = [NumpyCodec.encode_output("probabilities", found)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
