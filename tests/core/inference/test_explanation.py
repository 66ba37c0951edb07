"""An explanation is lens, comparison and attribution of one prediction, of the changed model."""

import numpy as np
import pytest

import core
from tests.core.inference.test_interventions import continuation
from tests.core.transformer.test_look import small

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


def test_an_explanation_says_what_its_parts_say():
    model, off = small(), core.Intervention(heads=((1, 2),), mlps=(0,))
    replace = off.replacements(model, IDS)
    told = core.explain(model, IDS, 5, columns=[4, 5], intervention=off)
    plain = core.attribute(model, IDS, position=5)
    assert (told.position, told.token, told.is_changed) == (5, plain.token, True)
    assert told.before.logit == plain.logit
    assert (
        told.after.logit
        == core.attribute(model, IDS, told.token, position=5, replace=replace).logit
    )
    lens = core.logit_lens(model, IDS, positions=[4, 5], replace=replace)
    np.testing.assert_allclose(told.lens.probabilities, lens.probabilities, rtol=1e-5)
    comparison = core.compare_intervention(model, IDS, replace, 5)
    np.testing.assert_allclose(told.comparison.logits, comparison.logits, atol=1e-6)
    both = np.maximum(comparison.before.probabilities, comparison.after.probabilities)
    assert told.shown[0] == plain.token and set(told.shown) == set(np.argsort(-both)[:6].tolist())
    last = told.trace[told.trace.children()[-1]].value("probabilities")
    np.testing.assert_allclose(last, comparison.after.probabilities[list(told.shown)], rtol=1e-4)
    assert (told.probabilities[-1] == last).all() and len(told.probabilities) == len(lens.places)
    *parts, rest = told.terms
    sizes = [abs(before.value) for before, _ in parts]
    assert sizes == sorted(sizes, reverse=True) and rest[1].kind == "unexplained"
    assert all(before.name == after.name for before, after in told.terms)
    assert off.off == ((1, 2), (0, None))
    assert all((after.part in off.off) == (after.value == 0) for _, after in told.terms[:-1])
    assert sum(after.value for _, after in told.terms) == pytest.approx(told.after.logit)


def test_an_explanation_goes_on_and_takes_a_term_apart_with_its_change_and_without():
    model, off = small(block_size=16), core.Intervention(mlps=(0, 1))
    told = core.explain(model, IDS, 5, intervention=off)
    written = [continuation(model, 3), continuation(model, 3, off)]
    assert told.continuations(model, 3) == written
    assert [len(ids) for ids in told.continuations(model, 100)] == [8, 8]  # the context is full
    assert core.explain(model, IDS).continuations(model, 3) == written[:1]
    for term in (term for _, term in told.terms if term.part is not None):
        last = list(told.trace_term(model, *term.part))[-1]
        assert float(last.value("contribution")) == pytest.approx(term.value, abs=1e-6)


def test_a_token_that_is_asked_for_is_shown_and_the_model_as_it_is_has_one_attribution():
    model = small()
    rare = int(core.compare_intervention(model, IDS, {}).before.probabilities.argmin())
    told = core.explain(model, IDS, token=rare, likeliest=3)
    assert told.shown[-1] == rare and len(told.shown) == 3
    assert told.before is told.after and not told.is_changed
    with pytest.raises(ValueError, match="tokens 0 to 10"):
        core.explain(model, IDS, token=11)
