"""Inside: what is shown of a matrix, its adapter and the steps is what core says."""

from __future__ import annotations

from typing import Any

import numpy as np


def test_the_first_state_shows_the_matrix_that_changed_most(make_mode: Any, run_async: Any) -> None:
    async def body() -> None:
        mode = await make_mode("inside")
        assert mode.view.body.state == "ready", mode.headline
        for picture in mode.pictures().values():
            picture.grab()
            assert picture.broken is None
        shown = mode.view.passage.displayed()
        np.testing.assert_allclose(
            shown["delta"], 8 * shown["B"] @ shown["A"], rtol=1e-5, atol=1e-6
        )

    run_async(body())
