"""Training a classifier.

- `train`: `holmdel.train`, from a data set to a run folder
- `preparation`: the data set, and what follows from it
- `loop`: seeds, epochs and batches
- `checks`, `divergence`: whether an epoch's losses are sound
- `trainers`: forward, backward and step of one batch, on PyTorch or in the native engine
- `settings`: the recipes
- `callbacks`: what is told of a training, and may stop it
- `run`, `folder`, `state`, `history`: the result, its files, the resume state, the figures
- `beside`: the curves, drawn by another process

The trainings of classifiers and of readers share `folder`, `state`, `optimise` and `callbacks`.
"""

from holmdel.deprecation import renamed_names

__getattr__ = renamed_names(
    __name__,
    {
        "Epoch": "holmdel.training.history.Epoch",
        "Progress": "holmdel.training.callbacks.Progress",
        "RECIPES": "holmdel.settings.RECIPES",
        "RangeTest": "holmdel.training.lr_finder.RangeTest",
        "Reporter": "holmdel.training.callbacks.Callback",
        "Run": "holmdel.training.run.Run",
        "RunFolder": "holmdel.training.folder.RunFolder",
        "Silent": "holmdel.training.callbacks.Callback",
        "TrainSettings": "holmdel.settings.TrainSettings",
        "plan": "holmdel.training.settings.plan",
    },
)
