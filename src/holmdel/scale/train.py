"""A training on Ray: Ray Train starts the workers and starts them again, `train` does the rest."""

from pathlib import Path
from typing import Any

from holmdel.scale.cluster import connected, stand_in, told
from holmdel.training.folder import RunFolder

AGAIN = 3  # times that the workers are started again after one has died


def train_on_ray(
    network: str, data: str, *, out: Path, ray: str, workers: int, resume: bool, **given: Any
) -> None:
    """Trains a network over the workers of a cluster, into a run folder that every node has.

    Args:
        network: a name, or `FILE.py:NAME` that every node has.
        data: as for `train`; every node has it.
        out: the run folder.
        ray: the address of the cluster.
        workers: how many share each batch.
        resume: go on with the training in the folder.
        given: further arguments of `train`.

    Raises:
        UserError: for a mistake, or workers that died again and again.
    """
    place = out.resolve()
    if not resume:
        RunFolder(out).refuse_existing()
    arguments = {"network": network, "data": data, "out": place, "resume": True, **given}
    with connected(ray):
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer

        gpu = str(given.get("device", "cpu")).startswith("cuda")
        trainer = TorchTrainer(
            _work,
            train_loop_config={"folder": str(Path.cwd()), "arguments": arguments},
            scaling_config=ScalingConfig(num_workers=workers, use_gpu=gpu),
            run_config=RunConfig(
                name=f".{place.name}.ray",
                storage_path=str(place.parent),
                failure_config=FailureConfig(max_failures=AGAIN),
            ),
        )
        try:
            trainer.fit()
        except Exception as error:  # Ray Train raises many kinds
            raise told(error, f"the training in {out} ended") from None


def _work(config: dict[str, Any]) -> None:
    """What each worker does; Ray Train has set the environment as torchrun does."""
    from holmdel.training.train import train

    stand_in(config["folder"])
    train(**config["arguments"])
