"""Whatever JSON can hold, and Python's reader of it gives: what a file from elsewhere may say."""

from hypothesis import strategies as st

from core.fields import LONGEST

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([1 << 63, -(1 << 63) - 1])
    | st.sampled_from([400, 6000]).map(lambda digits: 10**digits)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["a" * (LONGEST + 1), "cosine", "1.5", "", "\ud800"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
