"""One stack with 16 extractors for the whole run: building it and bringing it up takes minutes."""

from collections.abc import Iterator

import pytest

from tests.compose.stack import ComposeStack, tell
from tests.oracle import extractor
from tests.servers import docker_answers

EXTRACTORS = 16


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[ComposeStack]:
    """Up; torn down at the end, whatever happened, and told of before that where a test failed. Without an engine the
    run fails and says so."""
    assert docker_answers(), "No Docker engine answers (`docker version`): start one, or set DOCKER_HOST."
    extractor()  # the model as it is now, and as it goes into the image: it may be trained anew meanwhile
    stack = ComposeStack()
    try:
        stack.up(extractors=EXTRACTORS, build=True)
        yield stack
    finally:
        if request.session.testsfailed:
            tell(stack.compose("ps", "--all") + stack.compose("logs", "--tail", "20"))
        stack.down()


@pytest.fixture
def whole(stack: ComposeStack) -> ComposeStack:
    """With everything up that an earlier test may have taken down."""
    stack.up(extractors=EXTRACTORS)
    return stack
