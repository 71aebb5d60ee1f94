"""Count, row by row, the labels and groups that serving gives under an abstention rule."""

from tests.training.recordings import PAIRS
from training.certifying.final_posterior import FinalPredictions
from weir.catalog.promises import Abstention
from weir.engine.abstention import decide

Counts = tuple[int, int, int, int]
"""rows with a label, those with a wrong one, rows with a group and no label, those with a wrong one"""


def counts(rule: Abstention) -> Counts:
    """Read the counts that certification wrote into a rule."""
    return rule.answered, rule.wrong, rule.grouped, rule.grouped_wrong


def counted(rows: FinalPredictions, rule: Abstention) -> Counts:
    """Count what serving gives these rows, of two pairs of labels."""
    abstentions = decide(rows.predictions, rule, PAIRS)
    answered = wrong = grouped = grouped_wrong = 0
    for row, label in enumerate(rows.labels.tolist()):
        if not abstentions.abstains[row]:
            answered, wrong = answered + 1, wrong + int(rows.predictions.label[row] != label)
        elif abstentions.group[row] >= 0:
            grouped += 1
            grouped_wrong += int(label not in PAIRS.members[abstentions.group[row]])
    return answered, wrong, grouped, grouped_wrong
