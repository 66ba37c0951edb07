"""Values as JSON holds them, and what is left out of those that come from elsewhere."""

from explorer.state.json_values import without_endless_numbers


def test_numbers_that_no_float_holds_are_left_out_wherever_they_stand():
    huge = 10**400
    given = {"a": [{"x": huge, "y": 1}], "b": [1, huge], "c": {"d": -huge, "e": 2.5}, "f": "1"}
    assert without_endless_numbers(given) == {"a": [{"y": 1}], "c": {"e": 2.5}, "f": "1"}
