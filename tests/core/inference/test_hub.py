"""Models from the hub, which is a server on this machine here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import core
from core.inference.hub import get_model_steps, repositories_begun
from core.inference.model_places import repositories_here
from core.jobs import to_the_end
from core.memory import LargeModelError
from core.transformer.foreign.writing import write_foreign
from core.transformer.gpt import GPT
from core.transformer.parameters import parameter_count
from tests.core.inference.hub_server import NAME, Hub, serving_hub
from tests.core.inference.test_loading import LLAMA, in_cache, llama
from tests.core.transformer.foreign.test_broken_folders import cut_in_shards


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    write_foreign(llama(), tmp_path / "model")
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving_hub(tmp_path / "model") as made:
        yield made


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "data" / "models").iterdir())


def test_a_model_arrives_whole_and_opens_by_its_name(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    (hub.folder / "README.md").write_text("hello")
    (hub.folder / "generation_config.json").write_text('{"eos_token_id": 2}')
    told = list(get_model_steps(NAME))
    names = ["config.json", "generation_config.json", "model.safetensors"]
    assert [name for name, _ in hub.asked] == names
    assert told[-1].done == told[-1].total == sum((hub.folder / n).stat().st_size for n in names)
    places = [one.done for one in told]
    assert places == sorted(places)
    loaded = core.load(NAME)
    assert loaded.name == NAME and loaded.usage.end_ids == (2,)
    assert torch.equal(loaded.model.wte.weight, llama().wte.weight)
    assert left(tmp_path) == ["somebody--tiny"]
    assert list(get_model_steps(NAME)) == [] and len(hub.asked) == 3  # it is here


def test_a_model_in_several_files_comes_with_its_index(hub: Hub) -> None:
    cut_in_shards(hub.folder)
    list(get_model_steps(NAME))
    assert [name for name, _ in hub.asked][1] == "model.safetensors.index.json"
    assert torch.equal(core.load(NAME).model.ln_f.weight, torch.ones(8))


def test_a_line_that_breaks_leaves_no_model_and_the_next_try_goes_on(
    hub: Hub, tmp_path: Path
) -> None:
    hub.cut_at = 900  # config.json is smaller
    with pytest.raises(ConnectionError, match="try again"):
        list(get_model_steps(NAME))
    with pytest.raises(FileNotFoundError):
        core.load(NAME)
    hub.cut_at = None
    told = list(get_model_steps(NAME))
    assert hub.asked[-1] == ("model.safetensors", "bytes=900-")
    assert [name for name, _ in hub.asked].count("config.json") == 1
    assert told[-1].resumed_from > 900
    assert core.load(NAME).config == LLAMA and left(tmp_path) == ["somebody--tiny"]


def test_what_was_stopped_leaves_no_model(hub: Hub, tmp_path: Path) -> None:
    steps = get_model_steps(NAME)
    while not any(name == "model.safetensors" for name, _ in hub.asked):
        next(steps)
    steps.close()
    with pytest.raises(FileNotFoundError):
        core.load(NAME)
    assert left(tmp_path) == [f".somebody--tiny.{hub.revision[:12]}.part"]


def test_a_family_that_cannot_be_opened_is_refused_before_its_weights(
    hub: Hub, tmp_path: Path
) -> None:
    path = hub.folder / "config.json"
    path.write_text(path.read_text().replace('"llama"', '"mamba"'))
    with pytest.raises(ValueError, match=r"somebody/tiny's config.json .*'mamba'.*gpt2, llama"):
        list(get_model_steps(NAME))
    assert [name for name, _ in hub.asked] == ["config.json"]
    assert left(tmp_path) == [] and repositories_begun() == []


def test_a_model_that_takes_much_memory_is_told_before_its_weights(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = 4 * parameter_count(LLAMA)
    monkeypatch.setattr("core.memory.physical_bytes", lambda: 2 * needed - 1)
    with pytest.raises(LargeModelError, match="somebody/tiny in fp32 takes .*bf16") as raised:
        list(get_model_steps(NAME, large=False))
    assert raised.value.needed == needed
    assert [name for name, _ in hub.asked] == ["config.json"] and left(tmp_path) == []
    hub.cut_at = 900
    with pytest.raises(ConnectionError):
        list(get_model_steps(NAME))
    with pytest.raises(LargeModelError):
        list(get_model_steps(NAME, large=False))
    hub.cut_at = None
    list(get_model_steps(NAME))
    assert hub.asked[-1] == ("model.safetensors", "bytes=900-"), "what had come was kept"


def test_what_is_here_and_what_was_broken_off_is_listed(hub: Hub, tmp_path: Path) -> None:
    assert repositories_here() == repositories_begun() == []
    in_cache(tmp_path, "openai-community/gpt2")
    config = in_cache(tmp_path, "somebody/other") / "config.json"
    config.write_text(config.read_text().replace('"llama"', '"mamba"'))
    in_cache(tmp_path, "somebody/broken").joinpath("config.json").write_text("[")
    in_cache(tmp_path, "somebody/half").joinpath("model.safetensors").unlink()
    hub.cut_at = 900
    with pytest.raises(ConnectionError):
        list(get_model_steps(NAME))
    assert repositories_here() == ["openai-community/gpt2"] and repositories_begun() == [NAME]
    hub.cut_at = None
    list(get_model_steps(NAME))
    assert repositories_here() == ["openai-community/gpt2", NAME] and repositories_begun() == []


def test_what_lies_in_the_cache_is_not_downloaded(hub: Hub, tmp_path: Path) -> None:
    folder = in_cache(tmp_path, NAME)
    assert list(get_model_steps(NAME)) == [] and not hub.asked
    assert to_the_end(get_model_steps(NAME)) == folder


@pytest.mark.parametrize("name", ["somebody/else", "nobody"])
def test_a_name_that_does_not_exist_is_told(hub: Hub, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is not among the hub's models.*check its name"):
        list(get_model_steps(name))


@pytest.mark.parametrize(
    "name", ["a/b/c", "../..", "../..//x", "https://huggingface.co/gpt2", "", "a b", "é"]
)
def test_what_can_be_no_name_is_refused_unasked(hub: Hub, name: str) -> None:
    with pytest.raises(ValueError, match="is not a model on the hub: give its owner"):
        list(get_model_steps(name))
    with pytest.raises((FileNotFoundError, ValueError)):
        core.load(name)


def test_a_repository_without_a_model_is_refused(hub: Hub) -> None:
    (hub.folder / "model.safetensors").rename(hub.folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"only as a pickle: .*save_pretrained"):
        list(get_model_steps(NAME))
    (hub.folder / "pytorch_model.bin").unlink()
    with pytest.raises(ValueError, match="holds no model that can be opened"):
        list(get_model_steps(NAME))


@pytest.mark.parametrize("changes", [{"sha": "../x"}, {"sha": None}, {"siblings": 3}])
def test_a_listing_that_is_none_is_refused(hub: Hub, changes: dict[str, Any]) -> None:
    hub.changes = changes
    with pytest.raises(ValueError, match="revision is the newest|no model that can be op"):
        list(get_model_steps(NAME))


def test_another_revision_begins_anew(hub: Hub, tmp_path: Path) -> None:
    hub.cut_at = 900
    with pytest.raises(ConnectionError):
        list(get_model_steps(NAME))
    hub.cut_at = None
    with torch.no_grad():
        model = GPT(LLAMA, torch.Generator().manual_seed(5))
    write_foreign(model, hub.folder)
    hub.revision = "b2" * 20
    list(get_model_steps(NAME))
    assert torch.equal(core.load(NAME).model.wte.weight, model.wte.weight)
    assert left(tmp_path) == ["somebody--tiny"]
