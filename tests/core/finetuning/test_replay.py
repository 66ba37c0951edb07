"""Replay: whose sequences are in a batch, and how much each of them counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.data import Batches, StoriesCorpus, story_characters
from core.data.batches import NO_TOKEN
from core.finetuning.replay import sequence_losses, with_replay
from core.transformer.gpt import next_token_loss


@pytest.mark.parametrize("width", [5, 40])
def test_a_share_of_the_sequences_is_the_bases(width: int) -> None:
    old = Batches(StoriesCorpus(story_characters()), "train", 16, 8, seed=1)
    new = np.full((8, width), 3), np.full((8, width), 4)
    found = 0
    for step in range(40):
        ids, targets = with_replay(new, old, 0.25, step, 0)
        again, _ = with_replay(new, old, 0.25, step, 0)
        assert np.array_equal(ids, again) and ids.shape == targets.shape == (8, max(16, width))
        replayed = ~(targets[:, :width] == 4).all(1)
        theirs, their_targets = old.batch(step)
        assert np.array_equal(ids[replayed, :16], theirs[replayed])
        assert np.array_equal(targets[replayed, :16], their_targets[replayed])
        assert (targets[replayed, 16:] == NO_TOKEN).all()
        assert (targets[~replayed, width:] == NO_TOKEN).all()
        found += int(replayed.sum())
    assert 60 <= found <= 100  # of 320


def test_a_sequence_counts_the_same_however_many_of_its_tokens_are_learned() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 6, 9, generator=generator)
    targets = torch.randint(9, (3, 6), generator=generator)
    targets[0, 1:] = NO_TOKEN
    targets[2] = NO_TOKEN
    losses = sequence_losses(logits, targets)
    for row in (0, 1):
        total, count = next_token_loss(logits[row : row + 1], targets[row : row + 1])
        torch.testing.assert_close(losses[row], total / count)
    assert losses[2] == 0
