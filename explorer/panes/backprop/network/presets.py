"""Ready-made setups, each with the one thing to look for. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.panes.backprop.network.draft import NetworkDraft


@dataclass(frozen=True)
class Preset:
    """A setup, and one sentence before the first step: what to look for."""

    id: str
    title: str
    look: str
    draft: NetworkDraft
    panel: str = "layers"  # which side of the panel of health shows it


PRESETS = (
    Preset(
        "moons",
        "Two moons: it just works",
        "Watch the boundary bend between the moons: each neuron of the first layer draws a "
        "straight edge, and the next layers put these together.",
        NetworkDraft(),
    ),
    Preset(
        "spiral",
        "A spiral needs depth",
        "The first layer only draws straight lines; see how each layer bends what the one "
        "before it made.",
        NetworkDraft(
            "spiral", 300, 0.02, hidden=(8, 8, 8), activation="tanh", learning_rate=0.01, steps=5000
        ),
    ),
    Preset(
        "vanishing",
        "Vanishing gradient: six layers of sigmoid",
        "Compare the gradients from the last layer to the first: each sigmoid passes on a quarter "
        "at most.",
        NetworkDraft(
            hidden=(6, 6, 6, 6, 6, 6),
            activation="sigmoid",
            initialization="xavier",
            optimizer="sgd",
            learning_rate=0.1,
        ),
    ),
    Preset(
        "dead",
        "Dead ReLU: the first steps are too large",
        "Watch the neurons that get crossed out: they are 0 for every training point, so no "
        "gradient gets through to their weights.",
        NetworkDraft(hidden=(8,), activation="relu", optimizer="sgd", learning_rate=8.0, seed=7),
    ),
    Preset(
        "zeros",
        "All weights zero: neurons stay equal",
        "Every neuron outputs 0, so every weight's gradient is 0 too: only the last bias learns.",
        NetworkDraft(initialization="zeros", hidden=(6, 6)),
    ),
    Preset(
        "large",
        "Initial weights too large: neurons saturate",
        "From the start most neurons output almost \u22121 or 1, where tanh is flat and its slope "
        "near 0.",
        NetworkDraft(initialization="normal", scale=6.0, hidden=(8, 8, 8), learning_rate=0.003),
    ),
    Preset(
        "overfit",
        "Overfitting: few noisy points, a big network",
        "Watch training loss fall while test loss rises: the boundary winds around single points.",
        NetworkDraft(
            points=40,
            noise=0.3,
            hidden=(8, 8, 8),
            activation="relu",
            learning_rate=0.02,
            batch_size=0,
            data_seed=1,
        ),
    ),
    Preset(
        "diverges",
        "Learning rate too large: it diverges",
        "Each step overshoots further than the one before, until the loss is no longer a number.",
        NetworkDraft(
            "plane",
            hidden=(),
            optimizer="sgd",
            learning_rate=2.6,
        ),
        "updates",
    ),
)


def preset(name: str) -> Preset:
    return next(one for one in PRESETS if one.id == name)
