"""Ready-made setups, each with one thing to look for. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.panes.backprop.network.draft import NetworkDraft


@dataclass(frozen=True)
class Preset:
    """A setup, and a sentence before the first step that says what to look for."""

    id: str
    title: str
    look: str
    draft: NetworkDraft
    panel: str = "layers"  # side of the health panel that shows it


PRESETS = (
    Preset(
        "moons",
        "Two moons, an easy start",
        "Watch the boundary bend between the moons: each neuron of the first layer draws a "
        "straight line, and the next layers combine these lines.",
        NetworkDraft(),
    ),
    Preset(
        "spiral",
        "A spiral needs depth",
        "The first layer can only draw straight lines; watch each later layer bend what it "
        "receives.",
        NetworkDraft(
            "spiral", 300, 0.02, hidden=(8, 8, 8), activation="tanh", learning_rate=0.01, steps=5000
        ),
    ),
    Preset(
        "vanishing",
        "Vanishing gradient in six layers of sigmoid",
        "Compare the gradients from the last layer to the first: each sigmoid passes on at most "
        "a quarter of what it receives.",
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
        "Dead ReLUs from too large a learning rate",
        "Watch neurons being crossed out as they die: their output is 0 for every training point, "
        "so no gradient reaches their weights.",
        NetworkDraft(hidden=(8,), activation="relu", optimizer="sgd", learning_rate=8.0, seed=7),
    ),
    Preset(
        "zeros",
        "All weights zero, so that neurons stay equal",
        "Every neuron outputs 0, so the gradient of every weight is 0 too, and only the last bias "
        "learns.",
        NetworkDraft(initialization="zeros", hidden=(6, 6)),
    ),
    Preset(
        "large",
        "Initial weights so large that neurons saturate",
        "From the start, most neurons output almost \u22121 or 1, where tanh is flat and its slope "
        "is near 0.",
        NetworkDraft(initialization="normal", scale=6.0, hidden=(8, 8, 8), learning_rate=0.003),
    ),
    Preset(
        "overfit",
        "Overfitting: a big network and few noisy points",
        "Watch the training loss fall while the test loss rises, as the boundary winds around "
        "individual points.",
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
        "Learning rate so large that training diverges",
        "Each step overshoots by more than the one before, until the loss is no longer a number.",
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
