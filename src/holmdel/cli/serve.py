"""`holmdel serve`: models behind HTTP, and a page to see inside them."""

from pathlib import Path
from typing import Annotated

import typer

from holmdel.cli.ending import DONE


def _port_or_none(given: str) -> int:
    """Returns a port, 0 for none.

    Raises:
        typer.BadParameter: for what is neither.
    """
    if given in ("none", "0"):
        return 0
    if not (given.isascii() and given.isdigit()):
        raise typer.BadParameter(f"{given!r} is no port; expected 1 to 65535, or none")
    return int(given)


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL...]",
            help="Run folders, .safetensors files, names, FILE.py:NAME; those that ship if none.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 for a free one.")] = 8000,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            parser=_port_or_none,
            metavar="PORT",
            help="The port for gRPC, or none; by default the one above, where grpcio is installed.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="HOLMDEL_TOKEN", help="Bearer token that every request must carry."),
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin", metavar="URL", help="Another site whose pages may use the server."
        ),
    ] = None,
    runs: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for trainings that are kept.")
    ] = Path("runs"),
    queue: Annotated[int, typer.Option(min=1, help="Images that may wait for the network.")] = 256,
    batch: Annotated[
        int, typer.Option(min=1, help="Images that go through the network together.")
    ] = 64,
    max_body: Annotated[
        int, typer.Option(min=1, metavar="BYTES", help="The largest body of a request.")
    ] = 20_000_000,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="The longest a request may take.")
    ] = 30.0,
    max_wait: Annotated[
        float,
        typer.Option(
            min=0.01, metavar="SECONDS", help="Refuse what would wait for others for longer."
        ),
    ] = 1.0,
    trainings: Annotated[int, typer.Option(min=0, help="Trainings that may run at once.")] = 1,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer on the same port.")
    ] = 1,
    model_control: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder whose run folders requests may load by name."),
    ] = None,
    framed: Annotated[
        bool, typer.Option("--framed", help="Let notebooks of this machine show the page inside.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse doubtful FP32 tensors instead of warning.")
    ] = False,
) -> int:
    """Show models in a browser, and answer requests: classify, read, Open Inference Protocol.

    The page is at http://127.0.0.1:8000 and the description of the routes at /openapi.json.
    """
    from holmdel.server import ServerSettings, serve

    serve(
        ServerSettings(
            models=tuple(models or ()),
            host=host,
            port=port,
            grpc_port=grpc_port,
            token=token,
            origins=tuple(origins or ()),
            runs=runs,
            queue=queue,
            batch=batch,
            body_bytes=max_body,
            seconds=timeout,
            wait=max_wait,
            trainings=trainings,
            workers=workers,
            model_control=model_control,
            framed=framed,
            strict=strict,
        )
    )
    return DONE
