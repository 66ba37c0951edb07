"""What a session keeps of the moments of learning, and how they come back: of each what there was
before its step, which is then taken once more. Knows no Qt.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from core.fields import lenient, to_json
from core.optimization.learner import Learner
from explorer.panes.backprop.network.draft import Data, NetworkDraft, make_data
from explorer.panes.backprop.network.learned import Learned, recall
from explorer.panes.backprop.network.moment import Moment, Update, look_steps
from explorer.panes.backprop.network.stepping import take_step
from explorer.panes.backprop.network.thinning import places_of

MOST_KEPT = 32  # moments
MOST_NUMBERS = 16_000  # in all of them: about 300 kB of JSON


def kept(moments: Sequence[Moment], looked_at: int | None = None) -> dict[str, Any]:
    """Some of those before the last, for JSON; close together where learning begins. The moment of
    the step `looked_at` is among them.
    """
    before = moments[:-1]
    if not before:
        return {}
    few = min(MOST_KEPT, MOST_NUMBERS // max(_numbers(one.learned) for one in before))
    steps = [one.step for one in before]
    places = places_of(steps, few)[: max(0, few)]
    if looked_at in steps:
        places = sorted({*places, steps.index(looked_at)})
    setups: list[NetworkDraft] = []
    entries = []
    for moment in (before[place] for place in places):
        if moment.draft not in setups:
            setups.append(moment.draft)
        update = moment.update
        stepped = update is not None and update.draft == moment.draft
        state = update.start if update is not None and stepped else moment.learned
        written = json.dumps(state.state(), separators=(",", ":"))  # a file has a line a number
        entries.append([setups.index(moment.draft), stepped, written])
    return {"setups": [to_json(one) for one in setups], "moments": entries}


def moments_steps(saved: Any, end: int) -> Generator[None, None, list[Moment]]:
    """The moments before step `end` that `kept` gave; what does not fit is left out."""
    found: list[Moment] = []
    data: tuple[Any, Data] | None = None
    try:
        setups = [lenient(NetworkDraft, one) for one in saved["setups"]]
        entries = [
            (setups[number], bool(stepped), json.loads(state))
            for number, stepped, state in saved["moments"]
        ]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return []
    for one, stepped, state in entries:
        if data is None or data[0] != one.about_data:
            data = one.about_data, make_data(one)
        points = data[1]
        learner = Learner.start(one.config, points.train, points.test, one.settings, one.seed)
        if not isinstance(state, Mapping) or not recall(learner, state):
            continue
        update: Update | None = None
        if stepped and len(points.train):
            _, update = take_step(learner, one)
        for moment in look_steps(learner, one, update):
            yield
            if moment is not None and (found[-1].step if found else -1) < moment.step < end:
                found.append(moment)
    return found


def _numbers(learned: Learned) -> int:
    """How many it takes: parameters, and what is remembered of each."""
    count = sum(array.size for array in learned.parameters.values())
    fields = max(
        (len(getattr(state, "__dataclass_fields__", ())) for state, _ in learned.states.values()),
        default=0,
    )
    return count * (1 + fields)
