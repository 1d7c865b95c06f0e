import json
from pathlib import Path
from typing import Any

import pytest
import spacy
from thinc.api import use_ops

from models.evaluate import compare, report
from models.passage import Mention, Passage


@pytest.mark.parametrize(("ignore", "found"), [((), 2), (((13, 17),), 1)])
def test_finds_in_ignored_stretches_do_not_count(ignore: tuple[tuple[int, int], ...], found: int) -> None:
    """A name that the annotators left open is neither a hit nor a mistake; of the same ends, the kind decides."""
    nlp = spacy.blank("en")
    rules = [{"label": "PERSON", "pattern": "Ada"}, {"label": "LOC", "pattern": "Rome"}]
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(rules)
    passage = Passage("Ada did leave Rome", (Mention(0, 3, "PERSON"),), ignore)
    tally = compare(nlp, [passage], {"PERSON": "PERSON", "GPE": "places", "LOC": "places"})
    assert tally.found.total() == found
    assert tally.right.total() == tally.gold.total() == 1
    assert tally.f1("PERSON", "places") == 2 / (1 + found)


def test_a_report_has_the_figures_of_every_set(tmp_path: Path) -> None:
    """A line for each set and each label; where a set has one label for places, a building is a place too."""
    nlp = spacy.blank("en")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ada"}, {"label": "FAC", "pattern": "Wembley"}])
    nlp.to_disk(tmp_path / "model")
    for name in ("dev", "pud", "ewt_dev", "ewt_test"):
        place = "GPE" if name == "dev" else "LOC"
        spans = [[0, 3, "PERSON"], [10, 17, place]]
        record = {"text": "Ada saw a Wembley match.", "spans": spans, "source": "some"}
        (tmp_path / f"{name}.jsonl").write_text(f"{json.dumps(record)}\n", encoding="utf-8")
    with use_ops("numpy"):  # the report sets its own, and other tests are to keep theirs
        lines = report(str(tmp_path / "model"), tmp_path).splitlines()
    assert "| `dev.jsonl` | 1.000 | 0.000 | 0.000 | 0.667 |" in lines
    assert "| `pud.jsonl` | 1.000 | 0.000 | 1.000 | 1.000 |" in lines
    assert sum(line.startswith("| PERSON | 1 | 1.000 |") for line in lines) == 1
    assert "words/s on one core" in lines[-1]
