"""Images of many requests go through a network together; a full queue refuses."""

import asyncio
import threading
import time

import pytest
import torch
from torch import nn

from holmdel.checkpoint import Header
from holmdel.classifier import Classifier, load
from holmdel.images import ImageContract
from holmdel.server.batching import Batcher, ThreadPool
from holmdel.server.errors import RequestError
from holmdel.server.metrics import Metrics
from holmdel.server.models import Model, Models


class Slow(nn.Module):
    """Answers nothing before `go` is set; `asked` has how many pictures came each time."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.asked: list[int] = []

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Returns logits (N, 10): the mean of each picture, and nine zeros."""
        self.asked.append(len(pictures))
        assert self.go.wait(20)
        return torch.nn.functional.pad(pictures.mean(dim=(1, 2, 3))[:, None], (0, 9))


def slow_model(name: str = "slow") -> tuple[Model, Slow]:
    """Returns a model, and its network."""
    network = Slow()
    header = Header(network="lenet", options={}, classes=tuple("0123456789"), image=ImageContract())
    classifier = Classifier(network, header, engine="torch")
    return Models(Metrics()).put(name, classifier, "folder"), network


def picture(value: int, count: int = 1) -> torch.Tensor:
    """Returns pictures of one grey, uint8 (N, 1, 28, 28)."""
    return torch.full((count, 1, 28, 28), value, dtype=torch.uint8)


def asked(work, batch: int = 4, queue: int = 8, wait: float = 60.0):
    """Runs `work(batcher, model, network)`; returns what it gives, and the counters."""
    metrics = Metrics()
    batcher = Batcher(batch, queue, metrics, wait)
    model, network = slow_model()
    try:
        return asyncio.run(work(batcher, model, network)), metrics.text("")[0].decode()
    finally:
        network.go.set()
        batcher.close()


async def until(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited in vain")


def test_what_comes_while_a_batch_is_computed_is_the_next_batch():
    async def work(batcher, model, network):
        first = asyncio.create_task(batcher.ask(model, picture(0)))
        await until(lambda: network.asked)
        rest = [asyncio.create_task(batcher.ask(model, picture(value))) for value in range(6)]
        await asyncio.sleep(0)
        network.go.set()
        answers = await asyncio.gather(first, *rest)
        return network.asked, [float(answer.logits[0, 0]) for answer in answers]

    (batches, means), counters = asked(work)
    assert batches == [1, 4, 2]
    assert means == sorted(means)
    assert len(set(means)) == 6  # each got its own: the first and the second had the same picture
    assert "holmdel_batch_pictures_count 3.0" in counters
    assert "holmdel_batch_pictures_sum 7.0" in counters
    assert "holmdel_queue_pictures 0.0" in counters


def test_a_full_queue_refuses():
    async def work(batcher, model, network):
        first = asyncio.create_task(batcher.ask(model, picture(0)))
        await until(lambda: network.asked)
        rest = [asyncio.create_task(batcher.ask(model, picture(1, 4))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(
            RequestError, match=r"^the queue of images is full; try again later$"
        ) as refused:
            await batcher.ask(model, picture(0))
        network.go.set()
        await asyncio.gather(first, *rest)
        return refused.value

    refusal, _ = asked(work)
    assert (refusal.status, refusal.headers) == (503, {"Retry-After": "1"})


async def after(seconds, batcher, model, network):
    """Asks for images one after another that take so many seconds; then one, and two wait."""
    for one in seconds:
        network.go.clear()
        task = asyncio.create_task(batcher.ask(model, picture(0)))
        await asyncio.sleep(one)
        network.go.set()
        await task
        await asyncio.sleep(0.05)  # the thread notes its time after the answer
    network.go.clear()
    rest = [asyncio.create_task(batcher.ask(model, picture(1)))]
    await until(lambda: len(network.asked) == len(seconds) + 1)
    for _ in range(2):
        rest.append(asyncio.create_task(batcher.ask(model, picture(2))))
        await asyncio.sleep(0)
    return rest


def test_a_slow_queue_refuses():
    """The thread took 0.1 s for the last image, so that a third waits for longer than 0.15 s."""

    async def work(batcher, model, network):
        rest = await after([0, 0.1], batcher, model, network)
        with pytest.raises(RequestError, match="the queue of images is full") as refused:
            await batcher.ask(model, picture(3))
        network.go.set()
        await asyncio.gather(*rest)
        return refused.value

    refusal, _ = asked(work, wait=0.15)
    assert (refusal.status, refusal.headers) == (503, {"Retry-After": "1"})


def test_what_a_network_does_the_first_time_does_not_count():
    async def work(batcher, model, network):
        rest = await after([0.3], batcher, model, network)
        rest.append(asyncio.create_task(batcher.ask(model, picture(3))))
        network.go.set()
        return len(await asyncio.gather(*rest))

    assert asked(work, wait=0.15)[0] == 4


def test_a_thread_whose_calls_take_long_refuses_what_would_wait_too_long():
    async def work(pool):
        await pool.run(time.sleep, 0.1)
        calls = [asyncio.create_task(pool.run(time.sleep, 0.1)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="the queue for naps is full; try again later"):
            await pool.run(time.sleep, 0.1)
        await asyncio.gather(*calls)

    pool = ThreadPool("naps", 1, 8, wait=0.15)
    asyncio.run(work(pool))
    pool.close()


def test_more_than_the_queue_goes_through_if_nothing_waits():
    async def work(batcher, model, network):
        network.go.set()
        return (await batcher.ask(model, picture(9, 20))).logits.shape

    assert asked(work)[0] == (20, 10)


def test_what_nobody_waits_for_is_dropped():
    async def work(batcher, model, network):
        first = asyncio.create_task(batcher.ask(model, picture(0)))
        await until(lambda: network.asked)
        given_up = [asyncio.create_task(batcher.ask(model, picture(1))) for _ in range(3)]
        await asyncio.sleep(0)
        for task in given_up:
            task.cancel()
        last = asyncio.create_task(batcher.ask(model, picture(2)))
        await asyncio.sleep(0)
        network.go.set()
        await asyncio.gather(first, last)
        return network.asked

    assert asked(work)[0] == [1, 1]


def test_a_failure_is_told_to_all_who_waited_and_to_nobody_else():
    async def work(batcher, model, network):
        network.go.set()
        with pytest.raises(Exception, match=r"size of tensor|expected|shape|dimension"):
            await batcher.ask(model, torch.zeros(1, 28, dtype=torch.float32))
        return (await batcher.ask(model, picture(3))).logits.shape

    assert asked(work)[0] == (1, 10)


def test_models_and_kinds_of_input_are_not_mixed():
    async def work(batcher, model, network):
        other, second = slow_model("other")
        first = asyncio.create_task(batcher.ask(model, picture(0)))
        await until(lambda: network.asked)
        given = [picture(51), torch.full((1, 1, 28, 28), 0.2), picture(255)]
        rest = [
            asyncio.create_task(batcher.ask(m, g))
            for m, g in zip((model, model, other), given, strict=True)
        ]
        await asyncio.sleep(0)
        network.go.set()
        second.go.set()
        await first
        return [float(answer.logits[0, 0]) for answer in await asyncio.gather(*rest)]

    assert asked(work)[0] == pytest.approx([0.2, 0.2, 1.0])


def test_a_quick_network_says_the_same_beside_the_thread():
    """LeNet is soon found to be quick; from then on it is asked in the event loop."""
    model = Models(Metrics()).put("lenet-mnist", load("lenet-mnist"), "shipped")
    torch.manual_seed(0)
    pictures = torch.randint(0, 256, (200, 1, 28, 28), dtype=torch.uint8)

    async def work(batcher, slow, network):
        found = []
        for part in pictures.split(40):
            answers = [batcher.ask(model, one[None]) for one in part]
            found += [answer.logits for answer in await asyncio.gather(*answers)]
        return torch.cat(found)

    found, counters = asked(work, queue=64)
    assert torch.allclose(found, model.logits(pictures), atol=1e-4)
    assert "holmdel_batch_pictures_sum 200.0" in counters


def test_a_turn_of_the_event_loop_is_bounded_too():
    model = Models(Metrics()).put("lenet-mnist", load("lenet-mnist"), "shipped")

    async def work(batcher, slow, network):
        for _ in range(50):
            await batcher.ask(model, picture(0))
        many = [batcher.ask(model, picture(0)) for _ in range(50)]
        return await asyncio.gather(*many, return_exceptions=True)

    found, _ = asked(work)
    refused = [answer for answer in found if isinstance(answer, RequestError)]
    assert len(refused) == 42
    assert {refusal.status for refusal in refused} == {503}


def test_a_closed_batcher_refuses():
    async def work(batcher, model, network):
        batcher.close()
        with pytest.raises(RequestError, match="the queue of images is full"):
            await batcher.ask(model, picture(0))

    asked(work)
