"""Whatever a file holds for a draft is read, and what does not fit is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields import fields_of, lenient, to_json
from explorer.panes.backprop.expression.draft import ExpressionDraft
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.tokenizers.draft import ComparisonDraft
from explorer.panes.tokenizers.inside.draft import InsideDraft
from explorer.panes.tokenizers.train.draft import TrainDraft
from explorer.panes.training.run.branch_draft import BranchDraft
from explorer.panes.training.run.draft import TrainingDraft
from explorer.state.json_values import checked, written
from tests.core.any_json import JSON

DRAFTS = (
    ExpressionDraft,
    NetworkDraft,
    OptimizersDraft,
    ComparisonDraft,
    InsideDraft,
    TrainDraft,
    TrainingDraft,
    BranchDraft,
)


@pytest.mark.parametrize("kind", DRAFTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_any_json_gives_a_draft_that_can_be_kept(kind, data):
    name = data.draw(st.sampled_from(sorted(fields_of(kind))))
    draft = lenient(kind, {name: data.draw(JSON)})
    kept = written(to_json(draft))
    assert checked(kept, kind.__name__) == kept
    assert written(to_json(lenient(kind, kept))) == kept


def test_a_number_of_400_digits_in_a_session_is_left_out():
    draft = lenient(ExpressionDraft, {"losses": [10**400], "values": {"w": 10**400, "b": 2}})
    assert draft.losses == () and draft.values["b"] == 2.0 and "w" not in draft.values
