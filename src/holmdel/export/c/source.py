"""A graph as C: the header and the source file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from holmdel.errors import UserError
from holmdel.export.c.arena import MOVES, Arena, plan, sizes_of
from holmdel.export.c.eight import of_eight_bits
from holmdel.export.c.loops import Shape, literal, numbers
from holmdel.export.c.operators import body_of
from holmdel.export.c.sliding import scratch_of
from holmdel.export.c.work import Work, identifier, values_of
from holmdel.export.graph import IMAGES, LOGITS, PROBABILITIES, Array, Graph, Node

NAME = "holmdel_model"
_MEMORY, _SCRATCH = "memory", "scratch"


@dataclass(frozen=True)
class Source:
    """A network in C.

    Attributes:
        header: the text of the header.
        source: the text of the source file.
        facts: what it needs: `ram`, `flash` (bytes of weights), `macs`.
    """

    header: str
    source: str
    facts: dict[str, int]


def c_source(
    graph: Graph, classes: Sequence[str], about: Sequence[str], eight: bool = False
) -> Source:
    """Returns a classifier in C.

    Args:
        graph: from uint8 images to logits and probabilities.
        classes: the label texts.
        about: sentences for the head of both files.
        eight: whether weights are kept in 8 bits.

    Raises:
        UserError: for a network that cannot go into C; it names the layer.
    """
    graph, factors = of_eight_bits(graph) if eight else (graph, {})
    sizes, arena = sizes_of(graph), plan(graph)
    scratch = max(scratch_of(node, sizes) for node in graph.nodes)
    arrays: dict[str, Array] = {}
    functions = _functions(graph, sizes, arrays, factors)
    flash = sum(array.size * (1 if array.dtype == np.int8 else 4) for array in arrays.values())
    facts = {"ram": 4 * (arena.size + scratch), "flash": flash, "macs": macs_of(graph, sizes)}
    head = _head(about, facts)
    source = "\n".join(
        [
            head,
            f'#include "{NAME}.h"\n\n#include <math.h>\n#include <string.h>\n',
            _array("const char *const", "holmdel_classes", [_text(name) for name in classes], 4),
            *(_weights(name, array) for name, array in arrays.items()),
            f"static float {_MEMORY}[{arena.size}];",
            f"static float {_SCRATCH}[{scratch}];\n" if scratch else "",
            *functions,
            _main(graph, sizes, arena),
        ]
    )
    return Source(_header(head, sizes[IMAGES], len(classes)), source, facts)


def until(graph: Graph, value: str) -> Graph:
    """Returns a graph that ends where it has a value, which it answers as its logits."""
    at = next(at for at, node in enumerate(graph.nodes) if node.output == value)
    nodes = [*graph.nodes[: at + 1], Node("Identity", (value,), LOGITS, LOGITS, {})]
    shapes = {node.output: graph.shapes[node.output] for node in nodes[:-1]}
    shapes |= {IMAGES: graph.shapes[IMAGES], LOGITS: graph.shapes[value]}
    return Graph(IMAGES, graph.kind, nodes, graph.constants, shapes, {}, (LOGITS,))


def macs_of(graph: Graph, sizes: Mapping[str, Shape]) -> int:
    """Returns the multiply-adds of one image."""
    total = 0
    for node in graph.nodes:
        weight = graph.constants.get(
            node.inputs[-1 if node.operator == "MatMul" else 1 % len(node.inputs)]
        )
        if node.operator == "Conv" and weight is not None:
            total += weight.size * prod(sizes[node.output][1:])
        elif node.operator == "Gemm" and weight is not None:
            total += weight.size
        elif node.operator == "MatMul":
            inner = graph.shapes.get(node.inputs[0]) or graph.constants[node.inputs[0]].shape
            total += prod(sizes[node.output]) * int(inner[-1] or 1)
    return total


def _functions(
    graph: Graph,
    sizes: Mapping[str, Shape],
    arrays: dict[str, Array],
    factors: Mapping[str, Array],
) -> list[str]:
    found = []
    for node in graph.nodes:
        if node.operator in (*MOVES, "Concat"):
            continue
        body = body_of(Work(node, graph, sizes, arrays, factors))
        kind = "uint8_t" if node.inputs[0] == IMAGES else "float"
        second = ", const float *y" if len(values_of(node, sizes)) > 1 else ""
        more = ", float *padded" if scratch_of(node, sizes) else ""
        head = f"static void run_{identifier(node.output)}(const {kind} *x{second}, float *z{more})"
        found.append(f"/* {node.layer}: {node.operator} */\n{head}\n{{\n{body}\n}}\n")
    return found


def _main(graph: Graph, sizes: Mapping[str, Shape], arena: Arena) -> str:
    """Returns the functions that others call."""
    lines = []
    for node in graph.nodes:
        if node.output == PROBABILITIES:
            continue
        lines += _calls(graph, node, sizes, arena)
    count = prod(sizes[LOGITS])
    found = f"""static const float *run(const uint8_t *image)
{{
{chr(10).join(lines)}
    return {_at(LOGITS, arena)};
}}

void holmdel_logits(const uint8_t *image, float *logits)
{{
    memcpy(logits, run(image), {count} * sizeof(float));
}}
"""
    if PROBABILITIES in sizes:
        found += f"""
void holmdel_predict(const uint8_t *image, float *probabilities)
{{
    run_{PROBABILITIES}(run(image), probabilities);
}}
"""
    return found


def _calls(graph: Graph, node: Node, sizes: Mapping[str, Shape], arena: Arena) -> list[str]:
    """Returns the lines that run an operator."""
    if node.operator in MOVES:
        same = arena.offsets[node.output] == arena.offsets.get(node.inputs[0])
        return [] if same else [_copy(node.inputs[0], node.output, sizes, arena)]
    if node.operator == "Concat":
        return _concatenation(node, sizes, arena)
    values = [_at(name, arena) for name in values_of(node, sizes)]
    places = [*values, _at(node.output, arena)]
    places += [_SCRATCH] if scratch_of(node, sizes) else []
    return [f"    run_{identifier(node.output)}({', '.join(places)});"]


def _copy(source: str, target: str, sizes: Mapping[str, Shape], arena: Arena) -> str:
    count = prod(sizes[target])
    if source == IMAGES:
        raise UserError("the network changes nothing before it reshapes the image")
    return f"    memcpy({_at(target, arena)}, {_at(source, arena)}, {count} * sizeof(float));"


def _concatenation(node: Node, sizes: Mapping[str, Shape], arena: Arena) -> list[str]:
    axis = node.attributes["axis"] - 1
    whole = sizes[node.output]
    step, done, lines = prod(whole[axis:]), 0, []
    for name in node.inputs:
        if name not in sizes:
            raise UserError(f"the layer {node.layer} joins a constant, which C files do not have")
        part = prod(sizes[name][axis:])
        lines += [
            f"    memcpy({_at(node.output, arena)} + {row * step + done}, "
            f"{_at(name, arena)} + {row * part}, {part} * sizeof(float));"
            for row in range(prod(whole[:axis]))
        ]
        done += part
    return lines


def _at(name: str, arena: Arena) -> str:
    return "image" if name == IMAGES else f"{_MEMORY} + {arena.offsets[name]}"


def _head(about: Sequence[str], facts: Mapping[str, int]) -> str:
    lines = [
        *about,
        f"RAM: {facts['ram']:,} bytes, static. Flash: {facts['flash']:,} bytes of weights.",
        f"{facts['macs']:,} multiply-adds an image. C99; link with -lm. One image at a time.",
    ]
    safe = (line.replace("*/", "* /") for line in lines)
    return "/*\n" + "".join(f" * {line}\n" for line in safe) + " */"


def _header(head: str, image: Shape, classes: int) -> str:
    channels, height, width = image
    return f"""{head}
#ifndef HOLMDEL_MODEL_H
#define HOLMDEL_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define HOLMDEL_CHANNELS {channels}
#define HOLMDEL_HEIGHT {height}
#define HOLMDEL_WIDTH {width}
#define HOLMDEL_CLASSES {classes}

/* The labels, in UTF-8, in the order of the probabilities. */
extern const char *const holmdel_classes[HOLMDEL_CLASSES];

/* The probability of each class. The image is HOLMDEL_CHANNELS x HOLMDEL_HEIGHT x HOLMDEL_WIDTH
   bytes in the form of the data set: 0 the ground, 255 the ink or object. */
void holmdel_predict(const uint8_t *image, float *probabilities);

/* What the network says before the softmax. */
void holmdel_logits(const uint8_t *image, float *logits);

#ifdef __cplusplus
}}
#endif

#endif
"""


def _weights(name: str, array: Array) -> str:
    if array.dtype == np.int8:
        return _array("static const int8_t", name, [*map(str, array.reshape(-1).tolist())], 16)
    values = [literal(float(number)) for number in np.asarray(array).reshape(-1)]
    return _array("static const float", name, values)


def _array(kind: str, name: str, values: Sequence[str], per_line: int = 8) -> str:
    return f"{kind} {name}[{len(values)}] = {{\n{numbers(values, per_line)}\n}};\n"


def _text(value: Any) -> str:
    """Returns a text as C has it; what is not ASCII as octal bytes, which end after three."""
    plain = [
        chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}"
        for b in str(value).encode()
    ]
    return f'"{"".join(plain)}"'
