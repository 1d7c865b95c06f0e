"""Pages that are made from the code say what the code says."""

import pytest

from docs.reference import DOCS, PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_reference_is_up_to_date(page: str) -> None:
    """If not: `make docs`."""
    assert (DOCS / page).read_text() == PAGES[page]()
