"""Use cases of assessments, as other slices and the routes call them:

from app.domains.assessments import service as assessments

assessment = await assessments.assess(tx, customer_id="C-1", segment="main")
known = await assessments.latest(tx, customer_id="C-1", segment="main")
"""

from app.domains.assessments.service.assessing import (
    Replay,
    assess,
    assess_together,
    find,
    latest,
    list_assessments,
    note_on_account,
    probabilities,
    questions_of,
    replay,
)
from app.domains.assessments.service.runs import (
    finish,
    list_runs,
    pass_over,
    pick_up,
    portion,
    put_down,
    run,
    start_run,
    step,
)

__all__ = [
    "Replay",
    "assess",
    "assess_together",
    "find",
    "finish",
    "latest",
    "list_assessments",
    "list_runs",
    "note_on_account",
    "pass_over",
    "pick_up",
    "portion",
    "probabilities",
    "put_down",
    "questions_of",
    "replay",
    "run",
    "start_run",
    "step",
]
