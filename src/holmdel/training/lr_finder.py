"""The learning rate finder: Smith, "Cyclical learning rates" (2017), section 3.3."""

from collections.abc import Iterator
from dataclasses import dataclass

from holmdel.errors import UserError
from holmdel.figures import figure_files, new_figure
from holmdel.training.job import Job, seeds_restored
from holmdel.training.trainers import trainer_for

LOWEST, HIGHEST = 1e-5, 10.0
BATCHES = 200  # from the lowest rate to the highest
DIVERGED = 2.0  # times the lowest smoothed loss so far ends the test
SMOOTHING = 0.9  # of the running mean of the loss


@dataclass(frozen=True)
class RangeTest:
    """Losses against learning rates that rise by a constant factor a batch.

    Attributes:
        rates: the learning rates, rising.
        losses: the smoothed training losses, as many.
        diverged: whether the test ended because the loss had grown, not at the highest rate.
    """

    rates: list[float]
    losses: list[float]
    diverged: bool

    @property
    def suggestion(self) -> float:
        """A third of the learning rate at which the smoothed loss was lowest: before it turns."""
        return self.rates[self.losses.index(min(self.losses))] / 3

    def draw(self) -> dict[str, bytes]:
        """Returns the plot of the test as the content of a `png` and an `svg` file."""
        figure, axes = new_figure()
        axes.grid(visible=True, alpha=0.3)
        axes.plot(self.rates, self.losses)
        axes.axvline(self.suggestion, linestyle="--", color="#138a36")
        axes.set_title(f"suggested lr {self.suggestion:.2g}")
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss, smoothed")
        return figure_files(figure)


def range_test(job: Job) -> RangeTest:
    """Returns how the training loss goes while the learning rate rises from 1e-5 to 10.

    Args:
        job: what to train, from `prepare`; its learning rate and schedule are not used.

    Raises:
        UserError: if the first loss is no number.
    """
    rates: list[float] = []
    losses: list[float] = []
    mean, diverged = 0.0, False
    with seeds_restored():
        for count, (rate, loss) in enumerate(_rising(job), start=1):
            mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
            smooth = mean / (1 - SMOOTHING**count)
            diverged = bool(losses) and not smooth < DIVERGED * min(losses)
            if diverged:
                break
            rates.append(rate)
            losses.append(smooth)
    if not losses or losses[0] != losses[0]:
        raise UserError(
            f"the loss of {job.plan.network} is no number at a learning rate of {LOWEST}; "
            "check the images and labels"
        )
    return RangeTest(rates, losses, diverged)


def _rising(job: Job) -> Iterator[tuple[float, float]]:
    """Trains with a rising learning rate; gives (rate, loss) batch by batch."""
    state = job.begin(job.settings.seed)
    state.network.train()
    trainer = trainer_for(job, state)
    for batch in range(BATCHES):
        state.epoch, state.batch = divmod(batch, job.batches)
        order = job.order(state.seed, state.epoch)
        rate = LOWEST * (HIGHEST / LOWEST) ** (batch / (BATCHES - 1))
        trainer.learn(trainer.draw(order), rate)
        yield rate, float(state.losses[state.batch])
