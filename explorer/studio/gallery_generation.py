"""Gallery sheet of generated text: a beam search's tree, forks of a text, the cache."""

from __future__ import annotations

from explorer.studio.gallery_data import TOKENS, Sample
from explorer.widgets.beam_scene import BeamScene, scene_of
from explorer.widgets.beam_tree import BeamTreePicture
from explorer.widgets.branch_list import BranchLine, BranchList
from explorer.widgets.cache_picture import CachePicture
from explorer.widgets.cache_scene import CacheScene

BRANCHES = (
    ("played with", 0, True, False),
    (" a tiny scarf at the farm", 1, False, False),
    (" three", 1, True, False),
    (" kites.", 2, False, False),
    (" round kites. Suddenly", 2, True, True),
)


def _searched() -> BeamScene:
    """Runs a search in a model of random numbers."""
    import torch

    import core
    from core.inference.beam_search_trace import compared_search_steps

    logits = 2 * torch.randn(len(TOKENS), len(TOKENS), generator=torch.Generator().manual_seed(4))

    def predict(texts: object) -> torch.Tensor:
        return torch.stack([logits[text[-1]] for text in texts])  # type: ignore[attr-defined]

    settings = core.BeamSettings(max_new_tokens=6, beams=3, stop=(5,))
    *_, (tree, trace, greedy) = compared_search_steps(predict, [0], settings)
    return scene_of(tree, trace, greedy, 0, lambda token: TOKENS[token].encode())


def generation() -> list[Sample]:
    scene, samples = _searched(), list[Sample]()
    ways = {"score": 6, "on the way to prune": 7.5, "prune": 8, "end": len(scene.moments) - 1}
    for name, position in ways.items():
        tree = BeamTreePicture()
        tree.set_scene(scene)
        tree.set_position(position)
        samples.append((f"beam search, {name}", tree, 600, 260))
    forks = BranchList()
    forks.set_scene([BranchLine(*line, whole=line[0]) for line in BRANCHES])
    samples.append(("forks of a text", forks, 196, 140))
    for name, tokens, windowed in (("cache", 21, 0), ("with windows", 300, 64)):
        cache = CachePicture()
        whole = (tokens, tokens, 512, 1 << 20)
        window = (tokens, windowed, 512, 1 << 20) if windowed else whole
        cache.set_scene(CacheScene(tokens, _layers([whole, window] * 4)))
        samples.append((name, cache, 196, 200))
    return samples


def _layers(numbers: list[tuple[int, int, int, int]]) -> tuple:
    from core.transformer.cache import LayerUse

    return tuple(LayerUse(*one) for one in numbers)
