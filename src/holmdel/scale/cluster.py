"""The Ray cluster: joining it, and what must be the same on its nodes."""

import contextlib
import logging
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

from holmdel.errors import UserError
from holmdel.scale import probe
from holmdel.version import __version__

AUTO = "auto"
_PATIENCE = 5.0  # seconds in which an address answers
_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # a frame: length, type, flags, stream
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS
_ADDRESS = re.compile(r"(?:ray://)?(?P<host>[^:/]+|\[[^\]]+\]):(?P<port>\d+)")


def load_ray() -> Any:
    """Returns the module `ray`.

    Raises:
        UserError: if it is not installed; the sentence says what to install.
    """
    try:
        import ray
    except ImportError:
        raise UserError(
            "--ray was given, and Ray is not installed; install it with: pip install 'holmdel[ray]'"
        ) from None
    return ray


@contextlib.contextmanager
def connected(address: str = AUTO) -> Iterator[Any]:
    """Gives the module `ray`, connected to a cluster, and leaves it at the end.

    Args:
        address: `HOST:PORT` of a cluster; `auto` for the one that runs here or that
            `$RAY_ADDRESS` names, or else a cluster of this machine alone.

    Raises:
        UserError: for an address where no cluster is, another version of Ray or Python there, or
            a node without this version of holmdel.
    """
    ray = load_ray()
    if ray.is_initialized():  # by the program that calls
        _refuse_others(ray)
        yield ray
        return
    _connect(ray, address)
    try:
        _refuse_others(ray)
        yield ray
    finally:
        ray.shutdown()


def stand_in(folder: str) -> None:
    """Makes a folder that of this worker, as it is the command's, so that paths mean the same.

    A node that does not have it finds what whole paths name.
    """
    with contextlib.suppress(OSError):
        os.chdir(folder)


def workers(ray: Any) -> int:
    """Returns how many workers the cluster has room for now: its CPUs."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def told(error: BaseException, what: str, then: str = "go on with --resume") -> UserError:
    """Returns the mistake of a worker that is somewhere behind an error of Ray; else what ended.

    Args:
        error: of Ray, which wraps a worker's once or more.
        what: ended, the begin of the sentence.
        then: what to do, its end.
    """
    cause: BaseException | None = error
    while cause is not None:
        failures = getattr(cause, "worker_failures", {}).values()  # of Ray Train
        inner = getattr(cause, "cause", None)
        for found in (*(getattr(one, "cause", one) for one in failures), inner):
            if isinstance(found, UserError):
                return found
        cause = inner if isinstance(inner, BaseException) else cause.__cause__
    return UserError(f"{what} ({last_line(error)}); {then}")


def last_line(error: BaseException) -> str:
    """Returns the last line of what an error of Ray says, which has the reason."""
    return (str(error).strip().splitlines() or ["no reason given"])[-1]


def _connect(ray: Any, address: str) -> None:
    if address != AUTO:
        _refuse_silent(address)
    given = {} if address == AUTO else {"address": address}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **given)
    except Exception as error:  # Ray raises many kinds
        if "ersion mismatch" in str(error):
            raise UserError(_versions(str(error), ray)) from None
        raise UserError(
            f"the cluster at {address} cannot be joined ({_first_line(error)}); check the address, "
            "and `ray status` there"
        ) from None


def _refuse_silent(address: str) -> None:
    """Raises a UserError where nothing listens; Ray itself would wait for minutes."""
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise UserError(
            f"--ray was given as {address!r}; expected HOST:PORT of a cluster, such as "
            "10.0.0.1:6379, or nothing"
        )
    host, port = parts["host"].strip("[]"), int(parts["port"])
    try:
        with socket.create_connection((host, port), _PATIENCE) as there:
            reason: object = None if _speaks_grpc(there) else "something else listens there"
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
    if reason:
        raise UserError(
            f"there is no Ray cluster at {address} ({reason}); start one with: ray start --head "
            f"--port {port}"
        )


def _speaks_grpc(there: socket.socket) -> bool:
    """Tells whether a server answers as Ray's do, with HTTP/2 (RFC 9113, section 3.4)."""
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return True  # it speaks after a handshake, for which Ray has the keys
    there.sendall(_PREFACE)
    header = b""
    while len(header) < len(_SETTINGS) and (more := there.recv(len(_SETTINGS) - len(header))):
        header += more
    return header[3:4] == _SETTINGS[3:4]


def _versions(said: str, ray: Any) -> str:
    there = re.findall(r"(?:Ray|Python): ([\w.]+)", said)[:2]
    other = f"Ray {there[0]} on Python {there[1]}" if len(there) == 2 else "another version of Ray"
    return (
        f"the cluster runs {other}, and this is Ray {ray.__version__}; install the same versions "
        "of both on every node"
    )


def _refuse_others(ray: Any) -> None:
    """Raises a UserError unless each node has this version of holmdel."""
    ray.cloudpickle.register_pickle_by_value(probe)  # for nodes that do not have this module
    try:
        ask = ray.remote(num_cpus=0, max_retries=0)(probe.version)
        nodes = {
            node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]
        }
        there = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        said = {
            node: ask.options(scheduling_strategy=there(node, soft=False)).remote()
            for node in nodes
        }
        for node, answer in said.items():
            _refuse_version(nodes[node], ray.get(answer))
    finally:
        ray.cloudpickle.unregister_pickle_by_value(probe)


def _refuse_version(node: str, version: str | None) -> None:
    if version is None:
        raise UserError(
            f"the node {node} has no holmdel; install it there with: pip install "
            f"'holmdel[ray]=={__version__}'"
        )
    if version != __version__:
        raise UserError(
            f"the node {node} has holmdel {version}, and this is {__version__}; install the same "
            "version on every node"
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
