"""The lines of docs/replay.md that name dead letters, on letters as the console consumer prints them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "replay.md"
LINES = re.search(r"^place=.*\n.*> named$", PAGE.read_text(), re.MULTILINE)
POST = {"publication": "Reuters", "content": "Wangari Maathai, in {braces}."}


def letter(value: str, message: str = "publication: Field required") -> str:
    return (
        f"error.type:wrong_shape,error.message:{message},source.topic:posts,source.partition:15,source.offset:4211,"
        f"service:extractor,failed_at:2026-11-28T08:34:31.161670+00:00\t{value}\n"
    )


def named(folder: Path, letters: str) -> list[str]:
    assert LINES
    (folder / "letters").write_text(letters)
    subprocess.run(["bash", "-euc", LINES.group()], cwd=folder, check=True, timeout=60)
    return (folder / "named").read_text().splitlines()


@pytest.mark.parametrize("message", ["publication: Field required", "KeyError: {0}, source.offset:7", 'é "{"'])
@pytest.mark.parametrize("space", ["", "  "])
def test_a_post_gets_an_id_made_of_its_place(tmp_path: Path, message: str, space: str) -> None:
    """Whatever the error says, and however the post begins."""
    (line,) = named(tmp_path, letter(space + json.dumps(POST), message))
    assert json.loads(line) == POST | {"id": "posts-15-4211"}


def test_its_own_id_comes_last(tmp_path: Path) -> None:
    """Of two fields with one name JSON parsers take the last, pydantic's too."""
    (line,) = named(tmp_path, letter(json.dumps(POST | {"id": "a-1"})))
    assert json.loads(line)["id"] == "a-1"


@pytest.mark.parametrize("value", ["rubbish", "null", "", json.dumps([POST]), json.dumps(json.dumps(POST)), "a {b}, c"])
def test_what_is_no_object_is_left_out(tmp_path: Path, value: str) -> None:
    """Nothing that was refused becomes another post."""
    assert named(tmp_path, letter(value)) == []
