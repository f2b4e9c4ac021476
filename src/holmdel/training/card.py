"""The model card: a README for whoever finds the weights."""

from collections.abc import Sequence
from typing import Any

from holmdel.training.report import Epoch
from holmdel.training.settings import plan


def model_card(config: dict[str, Any], history: Sequence[Epoch], test_acc: float) -> str:
    """Returns the model card of a finished run as Markdown.

    Args:
        config: the run's `config.json`.
        history: its epochs.
        test_acc: accuracy on the test split, 0..1.
    """
    data, settings, image = config["data"], config["settings"], config["image"]
    last = history[-1]
    sizes = f"{data['train']:,} training and {data['test']:,} test pictures"
    stored, seen = ("x".join(map(str, image[key])) for key in ("stored", "input"))
    lines = [
        f"# {config['network']} on {data['name']}",
        "",
        "| | |",
        "| --- | --- |",
        f"| network | {config['network']}, {_options(config['options'])} |",
        f"| data | {data['name']}: {sizes} |",
        f"| classes | {', '.join(config['classes'])} |",
        f"| pictures | stored as {stored} uint8, framing `{image['framing']}`; seen as {seen} |",
        f"| recipe | {settings['recipe']}, {settings['epochs']} epochs, seed {settings['seed']} |",
        f"| test accuracy | {test_acc:.4f} |",
        f"| training loss, accuracy | {last.loss:.4f}, {last.train_acc:.4f} (last epoch) |",
        f"| engine | {config.get('engine', 'PyTorch')} |",
        f"| speed | {last.examples_per_sec:.0f} examples/sec on {settings['device']} |",
        f"| versions | {', '.join(f'{k} {v}' for k, v in config['versions'].items())} |",
        "",
        "Reproduce it:",
        "",
        f"    {command(config)}",
        "",
        "Use it: `holmdel predict THIS_FOLDER picture.png`, or from Python "
        '`holmdel.load("THIS_FOLDER").predict([...])`.',
        "",
        "![curves](curves.png)",
        "",
    ]
    return "\n".join(lines)


def command(config: dict[str, Any]) -> str:
    """Returns the command line that trains this run again."""
    settings, data = config["settings"], config["data"]
    usual = plan(config["network"], data["name"], {"recipe": settings["recipe"]})
    words = [f"holmdel train {config['network']} --data {data['name']}"]
    words.append(f"--recipe {settings['recipe']}")
    for name, value in settings.items():
        if name != "recipe" and value != getattr(usual.settings, name):
            words.append(f"--{name.replace('_', '-')} {value}")
    for name, value in config["options"].items():
        if name not in ("classes", "channels", "size") and value != usual.options.get(name):
            words.append(f"--{name} {value}")
    return " ".join(words)


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items()) or "its defaults"
