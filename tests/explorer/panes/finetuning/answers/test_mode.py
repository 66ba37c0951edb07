"""Try: both texts, what comes next and the verdicts are what core says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.data.questions import question_of
from core.finetuning.adapter import Adapter, adapters_of
from core.finetuning.mixture import BASE, Mixture, mixed_shares
from core.finetuning.scales import at_scales, generate_at_scales_steps
from core.finetuning.verdicts import check_merge
from core.inference.surprise import surprises
from explorer.engine import errors
from explorer.panes.finetuning.answers import compute, text
from explorer.panes.finetuning.answers.compute import CURVE
from explorer.panes.finetuning.answers.draft import TryDraft
from tests.core.finetuning.small import small_base, small_tuning, tune


async def model_of(mode: Any) -> torch.nn.Module:
    return await mode.source.ask(lambda model: model)


async def adapter_of(mode: Any) -> Adapter:
    return adapters_of(await model_of(mode))[-1]


async def expected(mode: Any, strength: float, draft: TryDraft) -> tuple[list[int], np.ndarray]:
    """What the model writes at a strength, and how much each token surprises it there."""
    model, tokenizer = await model_of(mode), mode.source.tokenizer
    scales = {await adapter_of(mode): strength}
    ids = tokenizer.encode_ids(mode.prompt)[-mode.source.config.block_size :]
    sampling = core.Sampling(temperature=draft.temperature)
    asked = model, scales, ids, draft.tokens, sampling
    stop = tuple(tokenizer.special_tokens.values())
    *_, last = generate_at_scales_steps(*asked, seed=draft.seed, stop=stop)
    with at_scales(scales):
        return last.ids.tolist(), surprises(model, ids)


async def check_shown(mode: Any) -> None:
    """Both columns are what the models write."""
    draft = mode.draft.value
    for tuned, picture in ((False, mode.view.base), (True, mode.view.tuned)):
        ids, told = await expected(mode, draft.strength if tuned else 0.0, draft)
        assert list(mode.written[tuned].ids) == ids
        shown = picture.displayed()
        assert len(shown["token"]) == len(ids)
        np.testing.assert_allclose(
            shown["loss (nats)"][1 : len(told)], told[1:], rtol=1e-4, atol=1e-5
        )


def test_a_second_adapter_is_taken_away_while_no_model_is_open(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        other = mode.parent().modes["try"]  # not shown yet, so it has no model
        assert other.source is None
        (alone,) = [action for action in other.actions() if action.id.endswith(".alone")]
        alone.run()
        await other.settled()
        assert not errors.reports().problems

    run_async(body())


def test_both_models_go_on_with_one_text(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        assert mode.view.body.state == "ready" and mode.headline.startswith("At strength 1")
        assert mode.inputs.line.prompt == question_of("validation", 0).prompt
        await check_shown(mode)
        assert list(mode.written[False].ids) != list(mode.written[True].ids)
        ids, model, adapter = mode.prompt_ids, await model_of(mode), await adapter_of(mode)
        bars = mode.view.bars.displayed()
        for strength, name in ((1.0, "probability"), (0.0, "before")):
            with at_scales({adapter: strength}):
                logits = model(torch.tensor([ids]))[0, -1].softmax(-1).detach().numpy()
            np.testing.assert_allclose(bars[name].max(), logits.max(), rtol=1e-4)
        curves = mode.view.curves.displayed()
        first = next(iter(curves.values()))
        np.testing.assert_array_equal(first[:, 0], sorted(CURVE))
        np.testing.assert_allclose(first[10, 1], bars["probability"].max(), rtol=1e-4)
        for picture in mode.pictures().values():
            picture.grab()
            assert picture.broken is None
        assert adapter.scale == 1.0 and not adapter.is_merged

    run_async(body())


@pytest.mark.parametrize("settings", [
    {"strength": 0.5}, {"strength": 2.0, "merged": True}, {"temperature": 1.0, "tokens": 8},
])  # fmt: skip
def test_a_setting_rewrites_the_texts(
    settings: dict[str, Any], make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        base = mode.written[False]
        mode.set_settings(**settings)
        await mode.settled()
        await check_shown(mode)
        assert (mode.written[False] is base) == ("temperature" not in settings)
        adapter = await adapter_of(mode)
        assert adapter.scale == 1.0 and not adapter.is_merged
        mode.workspace.undo()
        await mode.settled()
        assert mode.draft.value == TryDraft()
        await check_shown(mode)

    run_async(body())


def test_a_text_is_written_to_its_end_while_the_slider_is_dragged(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, write = [], compute.written_steps

    def to_its_end(*asked: Any) -> Any:
        yield from write(*asked)
        ended.append(asked)

    async def body() -> None:
        mode = await make_mode("try")
        monkeypatch.setattr(compute, "written_steps", to_its_end)
        slider = mode.view.settings.widgets["strength"].slider
        slider.setSliderDown(True)
        for place in (30, 36, 12):
            slider.setValue(place)
            await asyncio.sleep(0)
        await mode.settled()
        assert len(ended) == 2 and mode.draft.value.strength == 0.6
        await check_shown(mode)
        slider.setSliderDown(False)
        await mode.settled()
        assert float(mode.next.where[1].value("s")) == 0.6 * (await adapter_of(mode)).config.scaling
        assert len(ended) == 2

    run_async(body())


@pytest.mark.parametrize("name", ["strength", "temperature"])
def test_only_whole_texts_are_shown_while_a_slider_is_dragged(
    make_mode: Any, run_async: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        whole, shown = [list(one.ids) for one in mode.written.values()], []
        write, show = compute.written_steps, mode.view.show_text

        def to_its_end(*asked: Any) -> Any:
            for written in write(*asked):
                yield written
            whole.append(list(written.ids))

        def noted(tuned: bool, written: Any, *rest: Any) -> None:
            shown.append(list(written.ids))
            show(tuned, written, *rest)

        monkeypatch.setattr(compute, "written_steps", to_its_end)
        monkeypatch.setattr(mode.view, "show_text", noted)
        slider = mode.view.settings.widgets[name].slider
        slider.setSliderDown(True)
        for place in (30, 36, 12):
            slider.setValue(place)
            await mode.settled()
            mode.choose(True, 3)
        assert shown and all(one in whole for one in shown)
        slider.setSliderDown(False)
        await mode.settled()

    run_async(body())


@pytest.mark.parametrize("strength", [0.2, 0.35, 1.0, 1.75])
def test_the_bars_are_sorted_and_their_first_token_is_in_the_chart(
    make_mode: Any, run_async: Any, strength: float
) -> None:
    async def body() -> None:
        mode = await make_mode("try", r=4)
        with torch.no_grad():  # so much that the favorite changes with the strength
            for update in (await adapter_of(mode)).updates.values():
                update.B.mul_(30)
        mode.forget()
        mode.set_settings(strength=strength)
        mode.read()
        await mode.settled()
        model, ids = await model_of(mode), mode.prompt_ids
        now, base = (mixed_shares(model, Mixture(one), ids) for one in (strength, 0.0))
        bars = mode.view.bars.displayed()
        assert bars["probability"].tolist() == sorted(bars["probability"], reverse=True)
        assert np.isclose(bars["probability"][0], now.max(), rtol=1e-4)
        assert np.isclose(bars["before"].max(), base.max(), rtol=1e-4)
        curves = mode.view.curves.displayed()
        favorites = {int(mixed_shares(model, Mixture(one), ids).argmax()) for one in CURVE}
        assert len(curves) == len(favorites | {int(now.argmax())}) > 1
        assert any(
            np.isclose(np.interp(strength, *line.T), now.max(), rtol=1e-4)
            for line in curves.values()
        )
        for at in CURVE:
            most = max(line[np.isclose(line[:, 0], at), 1][0] for line in curves.values())
            assert np.isclose(most, mixed_shares(model, Mixture(at), ids).max(), rtol=1e-4)
        assert mode.view.curves.cursor == strength

    run_async(body())


def test_the_headline_is_of_the_strength_that_its_texts_were_written_with(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        told: list[tuple[str, bool]] = []
        set_headline = mode.set_headline

        def noted(headline: str) -> None:
            words = mode.said(False), mode.said(True)
            strength = mode.written[True].strength
            told.append((headline, headline == text.headline(strength, *words)))
            set_headline(headline)

        mode.set_headline = noted
        slider = mode.view.settings.widgets["strength"].slider
        slider.setSliderDown(True)
        for place in (30, 36, 12, 4):
            slider.setValue(place)
            for _ in range(20):
                await asyncio.sleep(0)
        slider.setSliderDown(False)
        await mode.settled()
        assert told and all(same for _, same in told)
        assert told[-1][0].startswith("At strength 0.2, ")

    run_async(body())


def test_a_verdict_is_on_the_present_text(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.set_settings(merged=True)
        await mode.settled()
        first = mode.view.verdict.whole
        mode.draft.change({"prompt": "Once"}, "")
        assert mode.view.verdict.whole == ""
        await mode.settled()
        found = check_merge(await adapter_of(mode), mode.prompt_ids)
        assert mode.view.verdict.whole == text.verdict("merge", found) != first

    run_async(body())


def test_strength_0_is_the_base(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.view.curves.clicked.emit(0.02)
        await mode.settled()
        assert list(mode.written[True].ids) == list(mode.written[False].ids)
        assert mode.headline.endswith("and so does its base")
        assert mode.view.settings.widgets["strength"].value == 0.0

    run_async(body())


def test_a_chosen_token_shows_what_was_expected_in_its_place(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        end = len(mode.prompt_ids)
        mode.view.base.chosen.emit(0, end + 2)
        await mode.settled()
        assert mode.before == list(mode.written[False].ids[: end + 2])
        base, tuned = mode.view.base, mode.view.tuned
        assert base.accessibleDescription() == base.told(0, end + 2)
        shared = [a == b for a, b in zip(mode.written[False].ids, mode.written[True].ids)]
        alike = [tuned.told(0, place) for place in range(shared.index(False) + 1)]
        assert tuned.accessibleDescription() in alike
        kept = mode.state()
        assert mode.cancel() and not mode.cancel()
        await mode.settled()
        assert mode.before == mode.prompt_ids
        mode.restore(kept)
        await mode.settled()
        assert mode.state() == kept and mode.place == (False, end + 2)
        for place in (None, [True, -1], [1, 2], "x", [False, 10**9]):
            mode.restore({"place": place})
            await mode.settled()
            assert mode.view.body.state == "ready"

    run_async(body())


def test_the_promises_of_an_adapter_are_checked(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.view.buttons["identity"].click()
        await mode.settled()
        assert mode.view.verdict.whole.startswith("With B = 0, the adapter changes nothing: all")
        mode.view.buttons["merge"].click()
        await mode.settled()
        found = check_merge(await adapter_of(mode), mode.prompt_ids)
        assert mode.view.verdict.whole == text.verdict("merge", found)
        assert found.holds and "(rounding alone may account for " in mode.view.verdict.whole
        mode.view.buttons["another"].click()
        await mode.settled()
        assert mode.view.verdict.whole == ""
        assert mode.prompt == question_of("validation", 1).prompt
        await check_shown(mode)

    run_async(body())


def test_two_adapters_are_blended_saved_and_exported(
    make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        base = Path(mode.source.address)
        first, second = (adapter_folder(base, tmp_path / name, name) for name in ("one", "two"))
        mode.desk.tuned.choose(str(first))
        await mode.parent().settled()
        assert mode.source.name == "one" and mode.view.body.state == "ready"
        await check_shown(mode)
        alone, said = mode.source, []
        mode.statusRequested.connect(said.append)
        mode.take_second(str(second))
        await mode.settled()
        assert not said
        config = second / "adapter_config.json"
        named = {**json.loads(config.read_text()), "base_model_name_or_path": "my-model"}
        config.write_text(json.dumps(named))
        await mode.warn_of_base(str(second))
        assert "two was trained on 'my-model'" in said[0]
        config.write_text(json.dumps({**named, "base_model_name_or_path": str(base)}))
        mode.set_settings(share=1.0)
        await mode.settled()
        assert mode.asked is not alone and mode.source is alone
        lone = core.load(second)
        other = list(mixed_text(lone, mode))
        assert list(mode.written[True].ids) == other
        for name, folder in (("save", tmp_path / "saved"), ("export", tmp_path / "whole")):
            mode.write(name, str(folder))
            await mode.settled()
        again = core.load(tmp_path / "saved")
        assert list(mixed_text(again, mode)) == other
        assert not adapters_of(core.load(tmp_path / "whole").model)
        mode.write("export", str(tmp_path / "whole"))
        await mode.settled()
        assert "choose a new folder" in mode.view.verdict.whole
        both = mode.asked
        mode.take_second(str(tmp_path / "whole"))
        await mode.settled()
        (problem,) = errors.reports().problems.values()  # its card has room for the remedy
        assert "is no adapter" in problem.text
        assert mode.asked is both and mode.view.body.state == "ready"
        assert mode.draft.value.other == str(second)
        mode.workspace.undo()
        mode.workspace.undo()
        await mode.settled()
        assert mode.asked is alone and mode.view.body.state == "ready"

    run_async(body())


def adapter_folder(base: Path, folder: Path, name: str) -> Path:
    """That of an adapter of random numbers."""
    lm = core.load(base)
    adapter = core.add_lora(lm.model, core.LoRAConfig(r=2))
    generator = torch.Generator().manual_seed(len(name) + ord(name[0]))
    with torch.no_grad():
        for one in adapter.parameters():
            one.normal_(0, 0.3, generator=generator)
    adapter.save(folder, base=str(base))
    return folder


def mixed_text(lm: Any, mode: Any) -> list[int]:
    """What a model writes as it is."""
    ids = lm.tokenizer.encode_ids(mode.prompt)[-lm.config.block_size :]
    stop = tuple(lm.tokenizer.special_tokens.values())
    return core.generate(lm.model, ids, mode.draft.value.tokens, temperature=0, stop=stop)


@pytest.mark.parametrize("method", ["full", "bitfit", "prompt"])
def test_what_a_run_of_another_method_learned_is_tried(
    method: str, make_mode: Any, run_async: Any, tmp_path: Path
) -> None:
    config = small_tuning(small_base(tmp_path), settings={"method": method}, learning_rate=1e-2)
    folder = tune(config, tmp_path / "tuned").checkpoints[-1].folder

    async def body() -> None:
        mode = await make_mode("try")
        mode.desk.tuned.choose(str(folder))
        await mode.parent().settled()
        assert mode.view.body.state == "ready", mode.view.body.message
        told: list[Any] = []
        mode.inspection.connect(told.append)
        model, slider = core.load(folder).model, mode.view.settings.widgets["strength"]
        for strength in (1.0, 0.7, 0.0):
            mode.set_settings(strength=strength)
            await mode.settled()
            likely = mixed_shares(model, Mixture(strength), mode.prompt_ids)
            shown = mode.view.bars.displayed()["probability"]
            np.testing.assert_allclose(np.sort(shown)[-1], likely.max(), rtol=1e-4)
            assert slider.value == (round(strength) if method == "prompt" else strength)
            assert mode.headline.startswith(f"At strength {slider.value:g}, ")
        base, whole = (mixed_shares(model, one, mode.prompt_ids) for one in (BASE, Mixture()))
        line, token = next(iter(mode.view.curves.displayed().values())), whole.argmax()
        if method == "prompt":
            assert slider.values == [0, 1] and "fully or not" in slider.slider.accessibleName()
            ends = [base[token]] * 2 + [whole[token]] * 2
            np.testing.assert_allclose(line[:, 1], ends, rtol=1e-4)
            assert line[1:3, 0].round(6).tolist() == [0.5, 0.5]
            mode.view.curves.clicked.emit(0.8)
            assert mode.draft.value.strength == 1
        else:
            assert len(slider.values) == 41 and len(line) == len(CURVE)
        mode.check("merge")
        await mode.settled()
        assert "Only a LoRA adapter" in mode.view.verdict.whole
        mode.set_settings(merged=True)
        await mode.settled()
        switch = mode.view.settings.widgets["merged"]
        assert not switch.isChecked() and not switch.isEnabled() and not mode.view.verdict.whole
        if method in ("bottleneck", "prompt"):
            assert mode.next.where is None and not told
        else:
            name, what = ("b", "bias") if method == "bitfit" else ("W", "matrix")
            words = f"{name}\u2032 \u2212 {name} is 0 times what was learned. The {what} that"
            assert told[-1].rows[0].startswith(words)

    run_async(body())


def test_the_heads_open_in_attention_which_chooses_one(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.workspace.begin("attention.scene", {"locked": [1, 0]})
        mode.open_heads()
        await mode.settled()
        assert mode.workspace.value("attention.scene")["locked"] is None
        assert mode.workspace.prompt == mode.prompt

    run_async(body())


def test_merging_tells_how_much_it_changes(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.view.settings.widgets["merged"].click()
        await mode.settled()
        assert mode.draft.value.merged
        assert mode.view.verdict.whole.startswith("Merging changes nothing beyond rounding: the ")
        mode.view.adapter.menuOpening.emit()
        titles = [one.text() for one in mode.view.adapter.menu().actions()]
        assert titles == [text.MENU[one] for one in text.MENU if one != "alone"]

    run_async(body())


@pytest.mark.parametrize(("base", "tuned", "told"), [
    ("Maya.", " Maya.\n", "writes \u201cMaya.\u201d, and so does its base"),
    ("", "", "ends the text, and so does its base"),
    ("", "Maya", "writes \u201cMaya\u201d, while its base ends the text"),
    ("a dog", "a dog ran", "writes \u201c\u2026 ran\u201d, while its base ends the text"),
    ("It was sad and ran far away", "It was glad",
     "writes \u201c\u2026 glad\u201d, while its base writes \u201c\u2026 sad and ran far "
     "aw\u2026\u201d"),
])  # fmt: skip
def test_the_headline_names_the_first_words_that_differ(base: str, tuned: str, told: str) -> None:
    assert text.headline(0.5, base, tuned) == f"At strength 0.5, the tuned model {told}"


def test_a_long_text_is_read_from_its_last_tokens_and_both_columns_scroll_alike(
    make_mode: Any, run_async: Any
) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.draft.change({"prompt": "Once upon a time " * 40}, "")
        await mode.settled()
        most = mode.source.config.block_size
        assert mode.view.wrote[0].whole.startswith(text.base(mode.count, most))
        assert mode.count > most and f"reading the last {most}" in text.base(mode.count, most)
        base, tuned = mode.view.base, mode.view.tuned
        for one in (base, tuned):
            one.resize(200, 60)
            one.grab()
        assert base.rect_of(0, 0).y() == tuned.rect_of(0, 0).y() < 0

    run_async(body())


def test_what_cannot_be_tried_says_what_to_do(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("try")
        mode.draft.change({"prompt": " "}, "")
        await mode.settled()
        assert mode.view.body.state == "empty" and mode.headline == text.NO_TEXT
        mode.draft.change({"prompt": "Once"}, "")
        await mode.settled()
        assert mode.view.body.state == "ready"
        (await adapter_of(mode)).remove()
        mode.read()
        mode.draft.change({"prompt": "Once upon"}, "")
        await mode.settled()
        assert mode.view.body.state == "error" and "adapter" in mode.view.body.message

    run_async(body())
