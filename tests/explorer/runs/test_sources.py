"""One test for all sources of a model: a folder, and a run in a thread or in a process."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
import shiboken6

import core
from core.training import RunReader
from explorer.engine.jobs import SUPERSEDED
from explorer.runs.sources import FolderSource, model_name
from tests.explorer.demo import close, eager_runs, save_tiny_model, tiny_training


@pytest.fixture
def runs(torch_engine, tmp_path, run_async):
    runs = eager_runs(torch_engine, tmp_path / "runs")
    yield runs
    run_async(close(runs))


LLAMA = {"n_head": 4, "n_kv_head": 2, "positions": "rope", "norm": "rms_norm", "mlp": "swiglu"}


async def source_of(kind, engine, runs, tmp_path, **changes):
    if kind == "folder":
        source = FolderSource(engine, save_tiny_model(tmp_path / "model", **changes))
    else:
        config = tiny_training(steps=100_000)
        config = replace(config, model=replace(config.model, **changes))
        folder = runs.new(config, "live")
        runs.start(folder, kind, paused=False)
        source = runs.source(folder)
    await source.open()
    return source


@pytest.mark.parametrize("kind", ["folder", "thread", "process"])
def test_every_source_captures_and_traces(kind, torch_engine, runs, tmp_path, run_async):
    async def body():
        source = await source_of(kind, torch_engine, runs, tmp_path)
        ids = source.tokenizer.encode("Once upon a time there was").ids
        acts = await source.capture(ids, ("attention", "logits"), key="pane")
        trace = await source.trace_attention(ids, 1, 1, -1, key="pane")
        return source, ids, acts, trace

    source, ids, acts, trace = run_async(body())
    assert acts.attention.shape == (2, 2, len(ids), len(ids))
    assert acts.attention.dtype == np.float32
    np.testing.assert_allclose(acts.attention.sum(-1), 1, atol=1e-5)
    assert acts.logits.shape[0] == len(ids)
    assert trace.about["layer"] == trace.about["head"] == 1
    assert [step.name for step in trace][:3] == [
        "attention.project",
        "attention.products",
        "attention.scores",
    ]
    assert source.is_live == (kind != "folder")
    assert source.config.n_layer == 2


@pytest.mark.parametrize("kind", ["folder", "thread"])
def test_heads_of_a_rotary_grouped_model_are_traced_as_they_are(
    kind, torch_engine, runs, tmp_path, run_async
):
    sites = ("attention", "queries", "keys", "values", "decoder.1.mlp_hidden")

    async def body():
        source = await source_of(kind, torch_engine, runs, tmp_path, **LLAMA)
        ids = source.tokenizer.encode("Once upon a time there was").ids
        acts = await source.capture(ids, sites)
        return acts, await source.trace_attention(ids, 1, 3, 2)

    acts, trace = run_async(body())
    assert acts.queries.shape[:2] == (2, 4) and acts.keys.shape[:2] == (2, 2)
    assert acts.at("decoder.1.mlp_hidden").shape[1] == 8 * 16 // 3
    scores = np.einsum("htd,hsd->hts", acts.queries[1], acts.keys[1].repeat(2, 0)) / 2
    weights = np.exp(scores) * np.tri(scores.shape[-1])
    expected = weights / weights.sum(-1, keepdims=True)
    np.testing.assert_allclose(acts.attention[1], expected, atol=1e-5)
    assert trace.about["kv_head"] == 1
    assert "turned by its position" in trace[0].title and "R_i" in trace[0].formula


def test_a_folder_gives_what_core_gives(torch_engine, runs, tmp_path, run_async):
    folder = save_tiny_model(tmp_path / "model")
    lm = core.load(folder)
    ids = lm.tokenizer.encode("Once upon a time").ids

    async def body():
        source = FolderSource(torch_engine, folder)
        await source.open()
        return await source.capture(ids)

    np.testing.assert_array_equal(
        run_async(body()).attention, core.capture(lm.model, ids).attention
    )


def test_a_run_that_has_ended_is_looked_at_through_its_checkpoint(
    torch_engine, runs, tmp_path, run_async
):
    async def body():
        folder = runs.new(tiny_training(steps=4), "short")
        runs.start(folder)
        await runs.job(folder).done()
        runs.job(folder).result()
        source = runs.source(folder)
        await source.open()
        ids = source.tokenizer.encode("Once upon").ids
        acts = await source.capture(ids)
        assert source.name == "short", "nothing of it is live any more"
        return ids, acts, source.version, RunReader(folder).checkpoints[-1].folder

    ids, acts, version, checkpoint = run_async(body())
    assert version == 4
    expected = core.capture(core.load(checkpoint).model, ids)
    np.testing.assert_array_equal(acts.attention, expected.attention)


def test_looks_do_not_change_the_run(torch_engine, runs, run_async):
    async def train(name, look):
        folder = runs.new(tiny_training(steps=30), name)
        runs.start(folder)
        source = runs.source(folder)
        looked = 0
        if look:
            while not runs.job(folder).over and looked < 20:
                try:
                    await source.open()
                    await source.capture([1, 2, 3, 4])
                    await torch_engine.call(np.linalg.norm, np.ones(3))
                    looked += 1
                except ValueError:  # it ended meanwhile
                    break
        await runs.job(folder).done()
        runs.job(folder).result()
        return RunReader(folder).steps["loss"].copy(), looked

    quiet, _ = run_async(train("quiet", False))
    disturbed, looked = run_async(train("disturbed", True))
    assert looked > 0
    np.testing.assert_array_equal(quiet, disturbed)


def test_a_newer_look_supersedes_an_older(torch_engine, runs, tmp_path, run_async):
    async def body():
        source = await source_of("thread", torch_engine, runs, tmp_path)
        first = asyncio.ensure_future(source.capture([1, 2], key="heads"))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(source.capture([1, 2, 3], key="heads"))
        return await asyncio.gather(first, second)

    first, second = run_async(body())
    assert first is SUPERSEDED
    assert second.attention.shape[-1] == 3


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("config.json", "holds no config.json"),
        ("tokenizer.json", "holds no tokenizer.json"),
        ("model.safetensors", "holds no model.safetensors"),
    ],
)
def test_a_folder_that_is_no_checkpoint_says_the_remedy(engine, tmp_path, run_async, missing, says):
    folder = save_tiny_model(tmp_path / "model")
    (folder / missing).unlink()
    with pytest.raises(ValueError, match=f"{says}; choose a whole checkpoint folder"):
        run_async(FolderSource(engine, folder).open())
    with pytest.raises(FileNotFoundError, match="choose the folder of a model"):
        run_async(FolderSource(engine, tmp_path / "nothing").open())


@pytest.mark.parametrize("content", ["[" * 5000, "[]", "{", ""])
def test_a_config_that_is_none_is_refused_with_the_remedy(engine, tmp_path, run_async, content):
    folder = save_tiny_model(tmp_path / "model")
    (folder / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json.* (again|another)"):
        run_async(FolderSource(engine, folder).open())


def test_a_config_that_is_none_is_told_before_other_files_that_are_missing(
    engine, tmp_path, run_async
):
    (tmp_path / "config.json").write_text("[]")
    for load in (core.load, lambda folder: run_async(FolderSource(engine, folder).open())):
        with pytest.raises(ValueError, match=r"config\.json: the model config must be a JSON obj"):
            load(tmp_path)


def test_a_truncated_model_is_refused_when_it_is_opened(engine, tmp_path, run_async):
    folder = save_tiny_model(tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.safetensors was cut off"):
        run_async(FolderSource(engine, folder).open())


def test_opening_that_the_end_of_the_app_interrupts_is_no_error(engine, tmp_path, run_async):
    source = FolderSource(engine, save_tiny_model(tmp_path / "model"))

    async def body():
        opening = asyncio.ensure_future(source.opened())
        await asyncio.sleep(0)
        shiboken6.delete(source)
        opening.cancel()
        await asyncio.wait([opening])
        return opening.cancelled()

    assert run_async(body())


def test_the_model_of_another_program_is_read_whole(torch_engine, tmp_path, run_async):
    """A folder that transformers would load: heads and tokens are those of the model it is of."""
    import core

    lm = core.load(save_tiny_model(tmp_path / "own"))
    core.export(lm, tmp_path / "theirs")

    async def body():
        source = FolderSource(torch_engine, tmp_path / "theirs")
        await source.open()
        assert source.config.n_layer == lm.config.n_layer
        ids = source.tokenizer.encode_ids("Mira met Tom")
        read = await source.read(ids)
        expected = core.Context(lm.model).read(ids)
        np.testing.assert_allclose(read.logits, expected, atol=1e-4)
        heads = await source.capture(ids)
        assert heads.attention.shape[0] == lm.config.n_layer
        source.close()

    run_async(body())


@pytest.mark.parametrize("address", ["no such model", "owner/nothing", "broken.gguf"])
def test_a_model_that_is_not_there_says_what_to_do(torch_engine, tmp_path, run_async, address):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and nothing more")
    place = tmp_path / address if address.endswith("gguf") else address

    async def body():
        source = FolderSource(torch_engine, place)
        with pytest.raises((ValueError, OSError), match="give a|there is no|convert it again"):
            await source.open()
        source.close()

    run_async(body())


def test_a_fine_tuned_model_knows_its_base(torch_engine, tmp_path, run_async):
    async def body():
        tuned, plain = (
            FolderSource(torch_engine, address)
            for address in ("questions", save_tiny_model(tmp_path / "model"))
        )
        await tuned.open()
        await plain.open()
        return tuned.base, plain.base

    assert run_async(body()) == ("stories", None)
    assert model_name("runs/tune-lora/checkpoints/step-001000") == "tune-lora, step 1,000"
    assert model_name("other/step-001000") == "step-001000"
