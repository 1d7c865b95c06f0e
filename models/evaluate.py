"""F1, speed, load time and size of a model, as in README.md: `python -m models.evaluate [MODEL]`.

MODEL is a folder or an installed package, by default the one that ships. The annotated sets are looked for in the
folder that the environment variable CORPUS names, by default ../shared/ner-corpus, and in models/corpus.
OPENBLAS_NUM_THREADS=1 keeps it to one core.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import spacy
from spacy.language import Language
from thinc.api import NumpyOps, set_current_ops

from models.markup import read_folder
from models.passage import LABELS, Passage, read_jsonl

SHIPPED = Path(__file__).parent / "en_namedrop_sm"
CORPUS = Path(os.environ.get("CORPUS", "../shared/ner-corpus"))
OWN_CORPUS = Path(__file__).parent / "corpus"
KINDS = {"PERSON": "PERSON", "ORG": "ORG", "GPE": "places", "LOC": "places"}
"""What is compared on every set. UNER has one label for places of every sort: there FAC is a place as well."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Mentions by kind: found by the model, in the gold annotation, and in both (same ends, same kind)."""

    found: Counter[str] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)

    def f1(self, *kinds: str) -> float:
        """Micro-averaged over `kinds`; 0 where there is nothing to find."""
        right, found, gold = (sum(counts[kind] for kind in kinds) for counts in (self.right, self.found, self.gold))
        return 2 * right / max(1, found + gold)


def main() -> int:
    sys.stdout.write(report(sys.argv[1] if len(sys.argv) > 1 else str(SHIPPED), CORPUS))
    return 0


def report(model: str, corpus: Path) -> str:
    """Two Markdown tables, the kinds that every set has and each label, and a line on speed and size."""
    set_current_ops(NumpyOps(use_blis=False))  # numpy's own matrix product is the faster one
    start = time.perf_counter()
    nlp = spacy.load(model)
    load_seconds = time.perf_counter() - start
    names = ("dev.jsonl", "pud.jsonl", "ewt_dev.jsonl", "ewt_test.jsonl")
    sets = {name: list(read_jsonl(corpus / name)) for name in names}
    sets["corpus/, held out"] = read_folder(OWN_CORPUS, held_out=True)
    lines = ["| F1 on | PERSON | ORG | places | the three |", "|---|--:|--:|--:|--:|"]
    for name, passages in sets.items():
        split = any(mention.label == "GPE" for passage in passages for mention in passage.mentions)
        tally = compare(nlp, passages, KINDS if split else KINDS | {"FAC": "places"})
        figures = [tally.f1("PERSON"), tally.f1("ORG"), tally.f1("places"), tally.f1("PERSON", "ORG", "places")]
        lines.append(f"| `{name}` | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    chosen_on = sets["dev.jsonl"], sets["corpus/, held out"]
    dev, own = (compare(nlp, passages, {label: label for label in LABELS}) for passages in chosen_on)
    lines += ["", "| label | in `dev.jsonl` | F1 | in `corpus/`, held out | F1 |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {label} | {dev.gold[label]} | {dev.f1(label):.3f} | {own.gold[label]} | {own.f1(label):.3f} |"
        for label in LABELS
    ]
    speed = words_per_second(nlp, [passage.text for passages in sets.values() for passage in passages])
    size_bytes = sum(file.stat().st_size for file in nlp.path.rglob("*") if file.is_file())
    lines += ["", f"{speed:,.0f} words/s on one core, loaded in {load_seconds:.2f} s, {size_bytes / 1e6:.1f} MB."]
    return "\n".join(lines) + "\n"


def compare(nlp: Language, passages: Sequence[Passage], kinds: Mapping[str, str]) -> Tally:
    """The model's mentions against the gold ones, by `kinds` (label to kind; labels not in it do not count).

    Mentions that the model finds in a passage's `ignore` stretches count neither for nor against it.
    """
    tally = Tally()
    for passage, doc in zip(passages, nlp.pipe(passage.text for passage in passages), strict=True):
        gold = {(start, end, kinds[label]) for start, end, label in passage.mentions if label in kinds}
        found = {
            (ent.start_char, ent.end_char, kinds[ent.label_])
            for ent in doc.ents
            if ent.label_ in kinds
            and not any(start < ent.end_char and ent.start_char < end for start, end in passage.ignore)
        }
        for counts, mentions in ((tally.gold, gold), (tally.found, found), (tally.right, gold & found)):
            counts.update(kind for _, _, kind in mentions)
    return tally


def words_per_second(nlp: Language, texts: Sequence[str], paragraphs: int = 6, batch_size: int = 64) -> float:
    """spaCy tokens per second of CPU time through the extractor's own call; best of three.

    On articles of `paragraphs` texts. CPU time, so that what else the machine does counts less.
    """
    articles = ["\n\n".join(texts[i : i + paragraphs]) for i in range(0, len(texts), paragraphs)]
    return max(_timed(nlp, articles, batch_size) for _ in range(3))


def _timed(nlp: Language, articles: Iterable[str], batch_size: int) -> float:
    start = time.process_time()
    with nlp.memory_zone():
        words = sum(len(doc) for doc in nlp.pipe(articles, batch_size=batch_size))
    return words / (time.process_time() - start)


if __name__ == "__main__":
    sys.exit(main())
