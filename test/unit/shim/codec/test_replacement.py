"""Up to which depth an answer may be nested, wherever in it that is."""

import pytest
from nested import KINDS, nested
from synapse_module_bridge.codec.answer_schema import MOST_LEVELS
from synapse_module_bridge.codec.replacement import too_deep


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_may_have_so_many_levels_and_no_more(kind: str) -> None:
    # Itself is the first, around them.
    most, more = ({"content": nested(kind, MOST_LEVELS + extra)} for extra in (-1, 0))
    assert too_deep(most, {}) is None
    field = too_deep(more, {})
    assert field is not None and field.startswith("content") and field.endswith("...")


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_original_has_more_already_the_answer_may_as_well(kind: str) -> None:
    most, more, many = ({"content": nested(kind, MOST_LEVELS + extra)} for extra in (-1, 0, 300))
    assert too_deep(many, more) is None
    assert too_deep(more, most) is not None
