"""core.load and core.export: what is found, what is refused, and what comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import core
from core.inference import loading
from core.inference.usage import Usage, usage_of_folder, usage_of_gguf
from core.tensor_files import write_tensors
from core.tokenization.ids import IdTokenizer
from core.transformer.config import ModelConfig
from core.transformer.foreign import writing
from core.transformer.foreign.writing import write_foreign
from core.transformer.gpt import GPT
from tests.core.transformer.foreign.test_gguf_models import put, tiny, tiny_tensors

LLAMA = ModelConfig(
    vocab_size=13,
    block_size=16,
    n_layer=2,
    n_head=2,
    n_kv_head=1,
    head_size=4,
    n_embd=8,
    n_inner=20,
    bias=False,
    norm="rms_norm",
    positions="rope",
    mlp="swiglu",
)


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def llama() -> GPT:
    return GPT(LLAMA, torch.Generator().manual_seed(0))


def logits(model: GPT) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.arange(12)[None])


def in_cache(tmp_path: Path, repository: str) -> Path:
    """A Llama of random weights in the Hugging Face cache."""
    folder = tmp_path / "hub" / f"models--{repository.replace('/', '--')}" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    write_foreign(llama(), folder)
    return folder


def test_a_folder_without_a_tokenizer_opens_and_its_tokens_are_numbers(tmp_path: Path) -> None:
    write_foreign(llama(), tmp_path / "model")
    loaded = core.load(tmp_path / "model")
    assert isinstance(loaded.tokenizer, IdTokenizer) and loaded.tokenizer.vocab_size == 13
    assert loaded.name == "model" and loaded.config == LLAMA and not loaded.model.training
    assert torch.equal(logits(loaded.model), logits(llama()))
    assert core.generate(loaded.model, loaded.tokenizer.encode("3 1 4").ids, 2)[:3] == [3, 1, 4]


def test_a_gguf_file_opens_by_its_path(tmp_path: Path) -> None:
    loaded = core.load(put(tmp_path, tiny(), tiny_tensors()))
    assert loaded.name == "x" and loaded.tokenizer.kind == "ids"
    assert loaded.model.config.vocab_size == 5


def test_weights_of_16_bits_take_half_the_memory(tmp_path: Path) -> None:
    write_foreign(llama(), tmp_path / "model")
    for place in (tmp_path / "model", "stories"):
        full, half = core.load(place), core.load(place, dtype="bfloat16")
        size = sum(p.numel() for p in full.model.parameters())
        assert {p.dtype for p in half.model.parameters()} == {torch.bfloat16}
        assert core.memory_needed(place) == 4 * size
        assert core.memory_needed(place, "bfloat16") == 2 * size
    for ask in (core.load, core.memory_needed):
        with pytest.raises(ValueError, match="float32 or bfloat16"):
            ask(tmp_path / "model", dtype="int8")


def test_a_model_larger_than_the_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_foreign(llama(), tmp_path / "model")
    monkeypatch.setattr(loading, "read_foreign_steps", None)
    needed = core.memory_needed(tmp_path / "model")
    monkeypatch.setattr("core.memory.physical_bytes", lambda: needed)
    with pytest.raises(TypeError):  # it fits, and would be read
        core.load(tmp_path / "model")
    monkeypatch.setattr("core.memory.physical_bytes", lambda: needed - 1)
    with pytest.raises(
        ValueError, match=r'in float32 takes 0.0 GB.*dtype="bfloat16".*or a smaller'
    ):
        core.load(tmp_path / "model")
    monkeypatch.setattr("core.memory.physical_bytes", lambda: 100)
    for dtype in ("float32", "bfloat16"):
        with pytest.raises(ValueError, match=f"in {dtype} takes .*: choose a smaller model"):
            core.load(tmp_path / "model", dtype=dtype)


def test_models_are_found_in_the_hugging_face_cache_by_name(tmp_path: Path) -> None:
    folder = in_cache(tmp_path, "somebody/tiny")
    assert core.load("somebody/tiny").name == "somebody/tiny"
    in_cache(tmp_path, "openai-community/gpt2")
    assert core.load("gpt2").name == "gpt2"
    in_cache(tmp_path, "HuggingFaceTB/SmolLM2-135M")
    assert core.load("smollm2").name == "smollm2"
    (folder / "model.safetensors").unlink()  # only its settings were fetched
    with pytest.raises(FileNotFoundError, match=r"no model 'somebody/tiny': give .*'smollm2', or"):
        core.load("somebody/tiny")


def test_a_model_that_is_not_here_says_how_it_comes() -> None:
    with pytest.raises(FileNotFoundError, match="python3 dev.py model smollm2"):
        core.load("smollm2")
    with pytest.raises(FileNotFoundError, match="no openai-community/gpt2 in .*dev.py model gpt2"):
        core.load("gpt2")
    with pytest.raises(FileNotFoundError, match="there is no model 'nonsense'"):
        core.memory_needed("nonsense")


def test_a_pickle_is_told_by_its_content_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "binary.bin").write_bytes(b"\x7fELF some program")
    with pytest.raises(ValueError, match=r"binary\.bin is not a GGUF file: get"):
        core.load(tmp_path / "binary.bin")
    (tmp_path / "model.gguf").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"model\.gguf is a pickle: "):
        core.load(tmp_path / "model.gguf")
    put(tmp_path, tiny(), tiny_tensors()).rename(tmp_path / "model.bin")
    assert core.load(tmp_path / "model.bin").name == "model"
    write_foreign(llama(), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    (tmp_path / "model" / "training_args.bin").write_bytes(b"no weights")
    with pytest.raises(FileNotFoundError, match=r"no model.safetensors and no model.safetensors.i"):
        core.load(tmp_path / "model")


@pytest.mark.parametrize("name", [None, "", 3])
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="names no model: give a name, such as 'stories'"):
        core.load(name)  # type: ignore[arg-type]


def test_pickles_are_refused_with_how_to_convert_them(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"\x80\x04")
    convert = r"is a pickle: .*never opened.*save_pretrained"
    with pytest.raises(ValueError, match=convert):
        core.load(tmp_path / "model.pt")
    write_foreign(llama(), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    (tmp_path / "model" / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match=r"as a pickle, 'pytorch_model.bin': .*save_pretrained"):
        core.load(tmp_path / "model")
    (tmp_path / "model" / "pytorch_model.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"no model.safetensors and no model.safetensors.i"):
        core.load(tmp_path / "model")


def test_a_part_of_a_model_asks_for_its_folder(tmp_path: Path) -> None:
    write_foreign(llama(), tmp_path)
    for name in ("model.safetensors", "config.json"):
        with pytest.raises(ValueError, match="a part of a model: give the folder"):
            core.load(tmp_path / name)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match="not a GGUF file"):
        core.load(tmp_path / "notes.txt")


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    write_foreign(llama(), tmp_path)
    IdTokenizer(14).save(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="tokenizer has 14 pieces, the model 13"):
        core.load(tmp_path)


def test_a_fine_tuned_folder_may_lie_on_a_foreign_model(tmp_path: Path) -> None:
    write_foreign(llama(), tmp_path / "base")
    changed = {"ln_f.weight": torch.full((8,), 2.0)}
    (tmp_path / "tuned").mkdir()
    loading.write_base(tmp_path / "tuned", LLAMA, "../base")
    write_tensors(tmp_path / "tuned" / "model.safetensors", changed)
    tuned = core.load(tmp_path / "tuned").model
    assert torch.equal(tuned.ln_f.weight, changed["ln_f.weight"])
    assert torch.equal(tuned.wte.weight, llama().wte.weight)


def test_loading_can_be_watched_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_foreign(llama(), tmp_path)
    monkeypatch.setattr("core.transformer.foreign.reading.CHUNK", 30)
    told = list(core.load_steps(tmp_path))
    total = sum(p.numel() for p in llama().parameters())
    assert {one.total for one in told} == {total} and told[-1].done == total
    assert [one.done for one in told] == sorted(one.done for one in told)
    steps = core.load_steps(tmp_path)
    assert 0 < next(steps).done < total
    steps.close()


# -- what the files say about its use -------------------------------------------------------------


def of_tokenizer(template: object) -> dict[str, object]:
    return {"tokenizer_config.json": {"chat_template": template}}


def ends_with(ids: object, file: str = "generation_config.json") -> dict[str, object]:
    return {file: {"eos_token_id": ids}}


@pytest.mark.parametrize(
    ("files", "ends", "template"),
    [
        ({}, (), None),
        (ends_with(2, "config.json"), (2,), None),
        (ends_with([3, 12, 3]), (3, 12), None),
        (ends_with(None) | ends_with(1, "config.json"), (1,), None),
        (of_tokenizer("{{ x }}"), (), "{{ x }}"),
        (of_tokenizer(["y", {"name": "default", "template": "z"}]), (), "z"),
        (of_tokenizer([{"name": "tools"}]), (), None),
        (of_tokenizer("x" * 300_000), (), None),
        ({"tokenizer_config.json": [], "generation_config.json": 3}, (), None),
        ({"chat_template.jinja": "own", **of_tokenizer("x")}, (), '"own"'),
    ],
)
def test_the_tokens_that_end_a_text_and_the_template_are_read(
    tmp_path: Path, files: dict[str, object], ends: tuple[int, ...], template: str | None
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert usage_of_folder(tmp_path, 13)[:2] == (ends, template)


@pytest.mark.parametrize("ids", [13, -1, [3, 99], "x", [True], 2.0])
def test_an_end_token_that_the_vocabulary_lacks_is_refused(tmp_path: Path, ids: object) -> None:
    """Without a word, an answer would never end."""
    (tmp_path / "config.json").write_text(json.dumps({"eos_token_id": ids}))
    with pytest.raises(ValueError, match="eos_token_id .* 0 to 12: correct that entry"):
        usage_of_folder(tmp_path, 13)


def test_special_tokens_are_known_by_their_names_in_templates(tmp_path: Path) -> None:
    about = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "unk_token": None, "x": "y"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(about))
    names = (("bos_token", "<s>"), ("eos_token", "</s>"))
    assert usage_of_folder(tmp_path, 13).token_names == names


def test_a_gguf_file_and_a_checkpoint_say_it_too(tmp_path: Path) -> None:
    more = {"tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.eot_token_id": 4}
    metadata = tiny(**more, **{"tokenizer.chat_template": "{{ messages }}"})
    usage = core.load(put(tmp_path, metadata, tiny_tensors())).usage
    assert usage[:2] == ((2, 4), "{{ messages }}")
    metadata["tokenizer.ggml.tokens"] = ["<unk>", "<s>", "</s>"]
    assert usage_of_gguf(metadata, 13).token_names == (("eos_token", "</s>"),)
    stories = core.load("stories")
    assert stories.usage == ((stories.tokenizer.special_tokens["<|endoftext|>"],), None, ())


def test_how_a_model_is_used_goes_with_it(tmp_path: Path) -> None:
    names = (("bos_token", "<s>"), ("eos_token", "</s>"))
    stories = replace(core.load("stories"), usage=Usage((5, 7), "{{ messages }}", names))
    core.export(stories, tmp_path / "out")
    assert core.load(tmp_path / "out").usage == stories.usage


# -- export ---------------------------------------------------------------------------------------


def test_what_was_exported_opens_as_the_same_model(tmp_path: Path) -> None:
    stories = core.load("stories")
    folder = core.export(stories, tmp_path / "out")
    names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    again = core.load(folder)
    assert torch.equal(logits(again.model), logits(stories.model))
    assert again.tokenizer.vocabulary == stories.tokenizer.vocabulary
    text = "Once upon a time<|endoftext|>"
    assert again.tokenizer.encode_ids(text) == stories.tokenizer.encode_ids(text)


@pytest.mark.peers
def test_transformers_opens_the_bundled_model_with_its_tokenizer(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    stories = core.load("stories")
    core.export(stories, tmp_path / "out")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    text = "Once upon a time there was a lion.<|endoftext|>"
    ids = stories.tokenizer.encode_ids(text)
    assert tokenizer(text).input_ids == ids
    assert tokenizer.decode(ids) == stories.tokenizer.decode(ids)
    assert [tokenizer.eos_token_id] == model.config.eos_token_id == ids[-1:]
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits
        found = stories.model(torch.tensor([ids]))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    stories = core.load("stories")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.json").write_text("mine")
    with pytest.raises(ValueError, match="holds something already: choose a new folder"):
        core.export(stories, tmp_path / "out")
    with pytest.raises(ValueError, match="choose a new folder"):
        core.export(stories, tmp_path / "out" / "config.json")
    (tmp_path / "out" / "config.json").unlink()
    core.export(stories, tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_an_encoder_decoder_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dates is an encoder-decoder: .* copy the folder"):
        core.export(core.load("dates"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_transformers_cannot_compute_leaves_nothing_behind(tmp_path: Path) -> None:
    config = replace(LLAMA, norm_placement="post", window=(None, 3))
    loaded = core.LoadedModel(GPT(config), IdTokenizer(13), config, "post")
    said = (
        r"LlamaForCausalLM it has window \(None, 3\) .not None., norm_placement 'post' .not 'pre'"
    )
    with pytest.raises(ValueError, match=said):
        core.export(loaded, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        core.export(core.load("stories"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
