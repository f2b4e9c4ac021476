"""`holmdel.train`: from a data set to a run folder. The epochs and batches are in `loop`."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from holmdel import data as data_sets
from holmdel.checkpoint import Header
from holmdel.data import Dataset, Split
from holmdel.data.augment import augmentation
from holmdel.data.dataset import hold_out
from holmdel.deprecation import renamed_parameters
from holmdel.devices import choose_device, use_bfloat16
from holmdel.errors import UserError
from holmdel.files import write_bytes
from holmdel.images.contract import to_input
from holmdel.programs.own import Given, Own, called
from holmdel.settings import TRAINING, TrainSettings
from holmdel.training import launch
from holmdel.training.callbacks import Animator, Callback, Callbacks, Warner, in_notebook
from holmdel.training.engine_choice import choose_engine
from holmdel.training.folder import RunFolder
from holmdel.training.group import ALONE, Group, joined, launched, of_this_worker
from holmdel.training.job import Job
from holmdel.training.loop import fit
from holmdel.training.lr_finder import RangeTest, range_test
from holmdel.training.own import own_network
from holmdel.training.preparation import join, load_data, name_of
from holmdel.training.run import Run, config_of, resumed_plan
from holmdel.training.settings import Plan, plan, sized


@renamed_parameters(reporter="callbacks")
def train(
    network: Given,
    data: Any = "fashion-mnist",
    *,
    out: str | Path | None = None,
    resume: bool = False,
    data_root: str | Path | None = None,
    callbacks: Callback | Iterable[Callback] | None = None,
    progress: data_sets.Progress | None = None,
    workers: int = 1,
    use_test: bool = True,
    **settings: Any,
) -> Run:
    """Trains a network on a data set; returns the run.

    Args:
        network: a name in `networks.NETWORKS`; or one of your own: a `torch.nn.Module`, a class of
            them, a function that returns one, or `FILE.py:NAME`, and then that file is run. A class
            or function is called anew for each attempt, with `classes`, `channels` and `size` where
            it has such parameters; a module is copied, keeps its weights unless `init` says
            otherwise, and has the trained ones in the end.
        data: a data set's name; a folder of images, `folder/CLASS/*` or
            `folder/{train,test}/CLASS/*`; a `.csv`, `.npz` or `.parquet` file; or arrays,
            `(images, labels)` or two such pairs, as `data.load` takes them; or what that returns.
        out: the run folder; if None, a new one under `runs/`.
        resume: go on with the training that `out` holds; the same settings apply.
        data_root: the data root that has the set; None for the usual ones.
        callbacks: told of the training as it runs; if None, live curves in a notebook.
        progress: called while images are downloaded or decoded.
        workers: processes of this machine that share each batch; those that torchrun has started,
            on however many machines, are found by themselves.
        use_test: look at the test split; if not, a validation split is kept, and its accuracy
            stands for the test's.
        settings: fields of `TrainSettings` and options of the network.

    Raises:
        UserError: for a mistake in any of these, a dead run, a loss that is no number, or a worker
            that ended.
        Stopped: a callback stopped it; the state is saved and `resume=True` goes on.
        KeyboardInterrupt: Ctrl-C stopped it, likewise.
    """
    if workers < 1:
        raise UserError(f"workers was given as {workers}; expected a whole number from 1")
    if callbacks is None:
        callbacks = Animator() if in_notebook() else Warner()
    named = name_of(data)
    where = Path(out) if out is not None else new_folder(network, named)
    given = {"network": network, "data": data, "out": where, "resume": resume}
    given |= {"data_root": data_root, "callbacks": Callback(), "use_test": use_test, **settings}
    with launch.workers(workers, train, given):
        group = launched()
        device = choose_device(TRAINING["device"].read(settings.get("device", "cpu")))
        told = Callbacks(callbacks if group.first else Callback())
        with joined(group, of_this_worker(device)), RunFolder(where) as folder:
            return _train(
                own_network(network) or str(network), data, folder, group, told, given, progress
            )


def _train(
    network: Own | str,
    data: Any,
    folder: RunFolder,
    group: Group,
    told: Callbacks,
    given: Mapping[str, Any],
    progress: data_sets.Progress | None,
) -> Run:
    """Trains in a folder; of several workers the first one alone looks at it and writes it."""
    name, mine = name_of(data), network if isinstance(network, Own) else None
    settings = {key: value for key, value in given.items() if key not in _ARGUMENTS}
    going_on, finished, options, values = group.told(
        _begun(folder, network, name, given["resume"], settings) if group.first else None
    )
    work = Plan(mine.name if mine else str(network), options, TrainSettings(**values), mine)
    if finished:
        return _given_back(Run.load(folder, work.settings), mine)
    if not group.first:
        group.told()  # the first has the data: what was fetched is there for the others
    dataset = load_data(work, data, given["data_root"], progress)
    if not given["use_test"]:
        dataset = _without_test(dataset, work.settings)
    if group.first:
        group.told()
    if not going_on:
        work = sized(work, name, settings, len(dataset.train.take(work.settings.limit)))
    work, header = join(work, dataset)
    job = prepare(work, header, dataset, group)
    if not going_on and group.first:
        _create(folder, job, header, dataset, {"name": name, "root": given["data_root"]})
    if group.first:
        _keep_code(folder, mine)
    for line in (dataset.provenance, *dataset.notes):
        told.note(line)
    if work.made and work.made.advice:
        told.warn(work.made.advice)
    return _given_back(fit(job, header, folder, told), mine)


def _without_test(dataset: Dataset, settings: TrainSettings) -> Dataset:
    """Returns a data set with nothing to test on."""
    if not settings.validation:
        raise UserError("validation was given as 0 where the test split is not used; expected more")
    return replace(dataset, test=Split(dataset.test.images[:0], dataset.test.labels[:0]))


_ARGUMENTS = ("network", "data", "out", "resume", "data_root", "callbacks", "use_test")


def _begun(
    folder: RunFolder, network: Own | str, data: str, resume: bool, settings: Mapping[str, Any]
) -> tuple[bool, bool, dict[str, Any], dict[str, Any]]:
    """Returns whether a training goes on, whether it is finished, its options and settings."""
    going_on = resume and folder.started()
    if going_on:
        if not folder.finished():
            folder.hold()
        work = resumed_plan(folder, network, data, settings)
    else:
        folder.refuse_existing()
        work = plan(network, data, settings)
    return going_on, going_on and folder.finished(), work.options, asdict(work.settings)


def _create(
    folder: RunFolder, job: Job, header: Header, dataset: Dataset, place: dict[str, Any]
) -> None:
    """Makes the run folder."""
    limit = job.settings.limit
    train, test = (len(part.take(limit)) for part in (dataset.train, dataset.test))
    sizes = {"train": train, "test": test, **_place(place["name"], place["root"])}
    folder.create(config_of(job.plan, sizes, header, job.engine))


def _keep_code(folder: RunFolder, own: Own | None) -> None:
    """Writes the file of a network of one's own, which a kill may have left out."""
    if own and own.file and not (folder.path / own.file[0]).exists():
        write_bytes(folder.path / own.file[0], own.file[1].encode())


def _given_back(run: Run, mine: Own | None) -> Run:
    """Returns a run, after the module that was given for it has got the trained weights."""
    if mine and mine.module is not None:
        mine.module.load_state_dict(run.network.state_dict(), strict=False)
    return run


def _place(data: str, root: str | Path | None) -> dict[str, Any]:
    """Returns what `config.json` says of where the data lie, so that `evaluate` finds them."""
    path = Path(data).expanduser()
    named = {} if data in data_sets.names() or not path.exists() else {"path": str(path.resolve())}
    return {"name": data, **named} | ({"root": str(Path(root).resolve())} if root else {})


def find_lr(
    network: Given,
    data: Any = "fashion-mnist",
    *,
    data_root: str | Path | None = None,
    progress: data_sets.Progress | None = None,
    **settings: Any,
) -> RangeTest:
    """Returns a learning rate range test: the training loss while the rate rises from 1e-5 to 10.

    Args and Raises: as `train`.
    """
    work = plan(own_network(network) or str(network), name_of(data), settings)
    dataset = load_data(work, data, data_root, progress)
    work = sized(work, name_of(data), settings, len(dataset.train.take(work.settings.limit)))
    return range_test(prepare(*join(work, dataset), dataset))


def new_folder(
    network: Given, data: str, runs: Path = Path("runs"), taken: Container[str] = ()
) -> Path:
    """Returns the first of `RUNS/NETWORK-DATA`, `RUNS/NETWORK-DATA-2`, ... not there nor taken."""
    name = f"{called(network)}-{Path(data).name}"
    folder, number = runs / name, 2
    while folder.exists() or folder.name in taken:
        folder = runs / f"{name}-{number}"
        number += 1
    return folder


def prepare(plan: Plan, header: Header, dataset: Dataset, group: Group = ALONE) -> Job:
    """Returns what a plan and a data set give to do.

    Args:
        plan: network, options and settings.
        header: its image contract says what the network sees.
        dataset: train and test splits, uint8 (N, C, H, W).
        group: the workers that share each batch.

    Raises:
        UserError: for an unknown device or augmentation, or an engine that cannot do this.
    """
    settings = plan.settings
    device = of_this_worker(choose_device(settings.device))
    if settings.batch_size < group.count:
        raise UserError(
            f"batch_size was given as {settings.batch_size} for {group.count} workers; expected "
            "an example a worker at least"
        )
    train, validation = dataset.train.take(settings.limit), None
    if settings.validation:
        train, validation = hold_out(train, settings.validation, settings.seed)
    _refuse_single(settings, len(train))
    full, rest = divmod(len(train), settings.batch_size)
    bfloat16 = use_bfloat16(settings.precision, device, header.image.input[1:])
    native, line = choose_engine(plan, header.image, device, bfloat16, group.count)
    enough = rest > (1 if settings.batch_norm else 0)  # a batch norm needs two examples
    return Job(
        plan=plan,
        train=train.to(str(device)),
        validation=validation.to(str(device)) if validation else None,
        test=dataset.test.take(settings.limit).to(str(device)),
        classes=len(dataset.classes),
        image=header.image,
        augment=augmentation(settings.augment),
        to_input=lambda images: to_input(images, header.image),
        device=device,
        bfloat16=bfloat16,
        native=native,
        engine=line,
        batches=full + enough,
        inference_size=header.image.batch_size,
        group=group,
    )


def _refuse_single(settings: TrainSettings, count: int) -> None:
    """Raises a UserError for batches of one image where there are batch norms, or for no image."""
    if count == 0:
        raise UserError(
            f"validation was given as {settings.validation}, which leaves no image to train on; "
            "give a smaller one, or more images"
        )
    if settings.batch_norm and min(settings.batch_size, count) < 2:
        what = f"{count} training image" if count < 2 else f"batch_size {settings.batch_size}"
        raise UserError(
            f"batch norms need two images or more in a batch, and there is {what}; give more, or "
            "--no-batch-norm"
        )
