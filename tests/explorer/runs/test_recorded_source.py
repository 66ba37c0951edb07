"""The heads that a run recorded: of their text and step; all else is the checkpoint's."""

from __future__ import annotations

import numpy as np
import pytest

from core.tensor_files import write_tensors
from explorer.runs.recorded_source import RecordedSource
from tests.explorer.demo import save_tiny_model

IDS = [300, 301, 302]


@pytest.fixture
def source(torch_engine, tmp_path):
    attention = np.zeros((2, 2, 3, 3), np.uint8)
    attention[..., 0] = 255
    probe = tmp_path / "step-000012.safetensors"
    write_tensors(probe, {"ids": np.array(IDS), "attention": attention})
    folder = save_tiny_model(tmp_path / "model")
    return RecordedSource(torch_engine, probe, 12, folder, 10)


def test_its_own_text_has_the_recorded_attention_and_another_the_checkpoints(source, run_async):
    async def body():
        await source.open()
        own = await source.look(IDS, ("attention", "queries"))
        assert (own.version, own.vectors) == (12, 10)
        assert (own.activations.attention[..., 0] == 1).all()
        other = await source.look([*IDS, 303], ("attention",))
        assert (other.version, other.vectors) == (10, None)
        assert (other.activations.attention[..., 0] < 1).any()
        queries = await source.look(IDS, ("queries",))
        assert queries.version == 10, "without attention nothing of it is recorded"
        source.close()

    run_async(body())


def test_a_recording_that_is_gone_is_told_with_a_remedy(source, tmp_path, run_async):
    (tmp_path / "step-000012.safetensors").unlink()
    with pytest.raises(ValueError, match="choose another step"):
        run_async(source.open())
    source.close()
