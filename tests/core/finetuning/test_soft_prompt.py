"""A soft prompt is tokens beyond the vocabulary: peft computes the same, all else reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.batches import NO_TOKEN
from core.finetuning.new_tokens import NewTokens
from core.finetuning.soft_prompt import add_soft_prompt, nearest_tokens, put_in_front
from core.inference.activations import capture
from core.inference.beam_search import beam_search
from core.inference.generation import generate
from core.inference.loading import load
from core.inference.surprise import surprises
from core.transformer.architectures import gpt_of
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT, next_token_loss
from tests.core.transformer.foreign.peers import random_model

CONFIG = ModelConfig(vocab_size=50, block_size=24, n_layer=2, n_head=2, n_embd=16)
ROPE = replace(CONFIG, positions="rope", norm="rms_norm", mlp="swiglu", bias=False)
IDS = torch.arange(12).view(2, 6)


def model_of(config: ModelConfig = CONFIG) -> GPT:
    return GPT(config, torch.Generator().manual_seed(0)).eval()


@pytest.mark.parametrize("config", [CONFIG, ROPE])
def test_it_begins_as_words_of_the_vocabulary(config: ModelConfig) -> None:
    model = model_of(config)
    table = model.wte.weight.detach()
    prompt = add_soft_prompt(model, 4, generator=torch.Generator().manual_seed(3))
    assert prompt == (50, 51, 52, 53)
    assert isinstance(model.wte, NewTokens)
    words = [int((table == row).all(1).nonzero()[0]) for row in model.wte.rows.detach()]
    assert nearest_tokens(model) == words
    ids, targets = put_in_front(prompt, IDS, IDS.roll(-1, 1))
    assert ids.tolist()[1] == [*prompt, *IDS[1].tolist()]
    assert targets.tolist()[1] == [NO_TOKEN] * 4 + IDS[1].roll(-1).tolist()
    read = torch.cat((torch.tensor([words, words]), IDS), 1)
    with torch.no_grad():
        assert torch.equal(model(ids), model_of(config)(read))
    learning = [name for name, one in model.named_parameters() if one.requires_grad]
    assert learning == ["wte.rows"]


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")  # peft asks transformers for it
def test_peft_s_prompt_tuning_has_the_same_loss_and_gradient(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    shape = {"vocab_size": 61, "n_positions": 40, "n_embd": 16, "n_layer": 2, "n_head": 2}
    shape |= {"bos_token_id": 0, "eos_token_id": 0}
    theirs = random_model("gpt2", {**shape, "tie_word_embeddings": True})
    theirs.save_pretrained(tmp_path)
    model = gpt_of(load(tmp_path).model)
    prompt = add_soft_prompt(model, 5, generator=torch.Generator().manual_seed(1))
    assert isinstance(model.wte, NewTokens)

    settings = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)
    wrapped = peft.get_peft_model(theirs, settings).eval()
    embedding = wrapped.prompt_encoder["default"].embedding
    with torch.no_grad():
        embedding.weight.copy_(model.wte.rows)
    ids = torch.randint(61, (3, 9), generator=torch.Generator().manual_seed(2))
    their_loss = wrapped(input_ids=ids, labels=ids).loss
    their_loss.backward()

    inputs, targets = put_in_front(prompt, ids[:, :-1], ids[:, 1:])
    # peft also counts the text's first token, which the prompt alone foretells.
    targets[:, 4] = ids[:, 0]
    summed, count = next_token_loss(model(inputs), targets)
    loss = summed / count
    loss.backward()
    torch.testing.assert_close(loss, their_loss, rtol=0, atol=1e-5)
    torch.testing.assert_close(model.wte.rows.grad, embedding.weight.grad, rtol=0, atol=1e-5)


def test_everything_that_reads_a_text_reads_it() -> None:
    model = model_of()
    prompt = add_soft_prompt(model, 3)
    text = [*prompt, 7, 8, 9]
    written = generate(model, text, 6, repetition_penalty=1.3, temperature=0)
    assert written == generate(model, text, 6, repetition_penalty=1.3, temperature=0, cache=False)
    assert max(written[6:]) < 50
    assert capture(model, text).attention.shape == (2, 2, 6, 6)
    assert np.array_equal(capture(model, text).ids, text)
    told = surprises(model, text)
    assert np.isnan(told[:3]).all()
    assert np.isfinite(told[3:]).all()
    tree = beam_search(model, text, max_new_tokens=3, beams=2)
    assert len(tree.text(tree.best)) == 3
    with pytest.raises(ValueError, match="token 53 is not in the vocabulary of 53"):
        capture(model, [53])


def test_it_is_learned_in_fp32_on_a_model_of_16_bits() -> None:
    model = model_of().bfloat16()
    ids, targets = put_in_front(add_soft_prompt(model, 3), IDS, IDS)
    assert isinstance(model.wte, NewTokens)
    logits = model(ids)
    assert logits.dtype is torch.bfloat16
    next_token_loss(logits, targets)[0].backward()
    assert model.wte.rows.grad is not None
    assert model.wte.rows.dtype is torch.float32


def test_what_cannot_be_is_told_with_its_remedy() -> None:
    with pytest.raises(ValueError, match="reads at most 24, of which the text needs some"):
        add_soft_prompt(model_of(), 24)
    config = EncoderDecoderConfig(encoder=CONFIG, decoder=CONFIG)
    with pytest.raises(ValueError, match="does not continue a text"):
        add_soft_prompt(EncoderDecoder(config), 3)
