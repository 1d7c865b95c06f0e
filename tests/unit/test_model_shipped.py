import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

MODEL = Path(__file__).parents[2] / "models" / "en_namedrop_sm"


@pytest.fixture(scope="module")
def nlp() -> Language:
    return spacy.load(MODEL)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Angela Merkel met officials of the European Central Bank in Frankfurt on Monday.",
            [("Angela Merkel", "PERSON"), ("European Central Bank", "ORG"), ("Frankfurt", "GPE")],
        ),
        ("The minister said in May that prices had risen by 3 percent.", []),
        (
            "Fatima Hassan, who grew up in Nairobi, joined the University of Cape Town.",
            [("Fatima Hassan", "PERSON"), ("Nairobi", "GPE"), ("University of Cape Town", "ORG")],
        ),
    ],
)
def test_the_shipped_model_finds_plain_names(nlp: Language, text: str, names: list[tuple[str, str]]) -> None:
    """A model whose vectors or weights went astray on the way into the project still loads, and finds less."""
    assert [(ent.text, ent.label_) for ent in nlp(text).ents] == names


def test_the_shipped_model_says_who_it_is(nlp: Language) -> None:
    """Name and version go into every entities message, the licence into every image."""
    assert f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}" == "en_namedrop_sm 1.0.0"
    assert nlp.meta["license"]
    assert nlp.meta["description"]
    assert nlp.pipe_names == ["ner"]


def test_the_shipped_model_needs_nothing_but_spacy(tmp_path: Path) -> None:
    """The extractor's image has no training code: the model loads from a place where `models` cannot be imported."""
    script = f"import spacy, sys; spacy.load({str(MODEL)!r}); sys.exit('models' in sys.modules)"
    subprocess.run([sys.executable, "-I", "-c", script], cwd=tmp_path, check=True, timeout=60)


def test_the_shipped_model_tells_nothing_of_the_machine_that_trained_it(nlp: Language) -> None:
    """spaCy writes the settings of the training beside the weights, with the paths to the corpus."""
    assert set(nlp.config["paths"].values()) == {None}


def test_the_shipped_model_is_small() -> None:
    """It travels with the repository, each wheel and each image."""
    assert sum(file.stat().st_size for file in MODEL.rglob("*") if file.is_file()) <= 15_000_000
