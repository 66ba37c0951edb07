"""Widgets in the light theme at zoom 1, deleted with their test."""

import pytest

from explorer import theme


@pytest.fixture(autouse=True)
def light_theme(qapp):
    theme.apply(qapp, "light", zoom=1.0, motion="full")
