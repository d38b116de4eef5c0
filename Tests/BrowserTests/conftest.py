"""What several files of tests use."""

import pathlib
import tempfile

import pytest

from town import Town


@pytest.fixture(scope="session")
def town():
    """Servers that can lie, for the signer."""
    town = Town(liars=True)
    for slug in ["watch", "helm"]:
        town.roll(slug, 4)
    yield town
    town.stop()


@pytest.fixture
def downloads():
    with tempfile.TemporaryDirectory(prefix="roundrobin-downloads-") as folder:
        yield pathlib.Path(folder)
