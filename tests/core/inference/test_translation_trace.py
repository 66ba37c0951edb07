"""The trace of a translation tells what the model did."""

import numpy as np
import pytest

from core.inference.translation import translate, translate_steps
from core.inference.translation_trace import sharpest_head, trace_translation
from tests.core.inference.test_translation import SOURCES


@pytest.mark.parametrize("ids", SOURCES)
def test_it_writes_what_translate_writes_and_reads_what_it_read(translator, ids) -> None:
    trace = trace_translation(translator, ids, (2, 1))
    target = trace.about["written"].tolist()
    assert [one for one in target if one != translator.config.end_id] == translate(translator, ids)
    for outer, step in zip(trace.children(), translate_steps(translator, ids), strict=True):
        weights = trace[trace.children(outer)[2]].value("weights")[0]
        np.testing.assert_allclose(weights, step.cross[2, 1], atol=1e-5)
        probabilities = trace[outer].value("probabilities")
        assert int(probabilities.argmax()) == step.id
        assert probabilities.dtype == np.float64  # as sampling works them out
    assert len(target) == len(trace.children())


def test_the_sharpest_head_is_the_one_that_points() -> None:
    cross = np.full((2, 2, 3, 4), 0.25)
    cross[1, 0] = np.eye(4)[:3]
    assert sharpest_head(cross) == (1, 0)


def test_it_takes_the_sharpest_head_and_refuses_one_that_is_not_there(translator) -> None:
    trace = trace_translation(translator, SOURCES[0])
    assert trace.about["head"] == sharpest_head(trace.about["captured"].cross)
    with pytest.raises(ValueError, match="layers 0 to 2"):
        trace_translation(translator, SOURCES[0], (3, 0))
