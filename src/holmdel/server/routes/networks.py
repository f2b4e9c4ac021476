"""Routes for what can be built and trained: networks, data sets, layer tables."""

import contextlib
import json
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel

from holmdel import samples
from holmdel.anatomy import Anatomy, inspect_module
from holmdel.drawing import draw
from holmdel.errors import UserError
from holmdel.inspection import inspect
from holmdel.networks import NETWORKS, network_options
from holmdel.programs.layers import MOST_LETTERS
from holmdel.server.errors import error_responses
from holmdel.server.own_models import own_layers
from holmdel.server.router import Router
from holmdel.server.services import services
from holmdel.server.training_form import FormField, offered_options, setting_fields
from holmdel.settings import OPTIONS, RECIPES
from holmdel.shapes import parse_size
from holmdel.training.settings import plan

router = Router()

_OWN = ("network", "model", "layers", "input", "form")


class NetworkOption(BaseModel):
    """An option of a network; `training` says whether a training over HTTP may set it."""

    name: str
    type: str
    default: Any
    choices: list[str] | None
    training: bool


class Network(BaseModel):
    """A network that can be built: its options, and what each recipe makes of these and settings.

    `recipes` has a recipe's values by name; a network whose paper allows no other has one alone.
    """

    name: str
    options: list[NetworkOption]
    recipes: dict[str, dict[str, Any]]


class Networks(BaseModel):
    """All networks, the recipes, and the settings that a training over HTTP may have."""

    networks: list[Network]
    recipes: list[str]
    settings: list[FormField]


class Data(BaseModel):
    """A data set; `here` says whether it can be had without a download."""

    name: str
    classes: list[str]
    here: bool


class DataSets(BaseModel):
    """The data sets that have a name."""

    data: list[Data]


@router.get(
    "/v1/networks",
    response_model=Networks,
    responses=error_responses(),
    summary="List the networks, their options and recipes",
)
def networks() -> Networks:
    """Returns the networks, recipes and settings that there are."""
    return Networks(
        networks=[
            Network(name=name, options=_options(name), recipes=_recipes(name)) for name in NETWORKS
        ],
        recipes=list(RECIPES),
        settings=setting_fields(),
    )


@router.get(
    "/v1/data", response_model=DataSets, responses=error_responses(), summary="List the data sets"
)
def data() -> DataSets:
    """Returns the data sets that have a name."""
    return DataSets(
        data=[
            Data(name=found.name, classes=list(found.classes), here=found.here)
            for found in samples.named_sets()
        ]
    )


@router.get(
    "/v1/anatomy",
    responses=error_responses(404)
    | {
        200: {
            "description": "The layers as `holmdel inspect --json` prints them, with `svg`, the "
            "drawing; or the drawing or the table alone.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "image/svg+xml": {"schema": {"type": "string"}},
                "text/markdown": {"schema": {"type": "string"}},
            },
        }
    },
    summary="Show the layer table of a network or model",
)
async def anatomy(
    request: Request,
    network: Annotated[str | None, Query(description="A network's name.")] = None,
    model: Annotated[str | None, Query(description="A model's name.")] = None,
    layers: Annotated[
        str | None,
        Query(max_length=MOST_LETTERS, description="Layers, such as conv 6 5 p2; relu; flatten."),
    ] = None,
    input: Annotated[str | None, Query(max_length=20, description="CxHxW of the image.")] = None,
    form: Annotated[
        Literal["json", "svg", "markdown"], Query(description="Of the answer.")
    ] = "json",
) -> Response:
    """Returns a network layer by layer; every other parameter is an option of the network."""
    if [network, model, layers].count(None) != 2:
        raise UserError("give either a network or a model, or layers, not both or none")
    options = {key: value for key, value in request.query_params.items() if key not in _OWN}
    _expect_small(input, options)
    shared = services(request)
    if layers is not None:
        built = await shared.run(own_layers, layers, input)
        found = await shared.run(inspect_module, built, parse_size(input or "1x28x28"), "own")
    elif model is not None:
        if options:
            raise UserError(
                f"the options {', '.join(options)} were given with a model; options are for a "
                "network"
            )
        size = parse_size(input) if input else None
        found = await shared.run(shared.models.get(model).anatomy, size)
    elif network in NETWORKS:
        found = await shared.run(inspect, network, input, **options)
    else:
        raise UserError(f"there is no network {network!r}; choose from {', '.join(NETWORKS)}")
    return await shared.run(_formed, found, form)


def _formed(found: Anatomy, form: str) -> Response:
    if form == "svg":
        return Response(draw(found), media_type="image/svg+xml")
    if form == "markdown":
        return Response(found.to_markdown(), media_type="text/markdown")
    values = found.to_json() | {"svg": draw(found)}
    return Response(json.dumps(values), media_type="application/json")


def _expect_small(input: str | None, options: dict[str, str]) -> None:
    """Refuses what would take long: an image or a network far beyond any use."""
    if input:
        channels, *size = parse_size(input)
        OPTIONS["channels"].for_requests().check(channels)
        OPTIONS["size"].for_requests().check(tuple(size))
    for name, option in OPTIONS.items():
        if option.from_data and name in options:
            option.for_requests().read(options[name])


def _options(name: str) -> list[NetworkOption]:
    settable = offered_options(name)
    return [
        NetworkOption(
            name=option,
            type=OPTIONS[option].type,
            default=default,
            choices=list(OPTIONS[option].choices) or None,
            training=option in settable,
        )
        for option, default in network_options(name).items()
    ]


def _recipes(name: str) -> dict[str, dict[str, Any]]:
    offered = [field.name for field in setting_fields()]
    found = {}
    for recipe in RECIPES:
        with contextlib.suppress(UserError):  # what the paper does not allow
            work = plan(name, "", {"recipe": recipe})
            settings = {setting: getattr(work.settings, setting) for setting in offered}
            found[recipe] = settings | network_options(name) | work.options
    return found
