"""How well a score tells bad from good: the usual measures, and a calibration by logistic regression."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDS: Final = 60


def auc(score: Floats, bad: Floats) -> float:
    """The area under the ROC curve: how often a bad one scores below a good one, ties counting half."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    bads, goods = bad.sum(), len(bad) - bad.sum()
    below = ranks[bad == 0].sum() - goods * (goods + 1) / 2
    return float(below / (bads * goods))


def gini(score: Floats, bad: Floats) -> float:
    """2 AUC − 1."""
    return 2 * auc(score, bad) - 1


def kolmogorov_smirnov(score: Floats, bad: Floats) -> float:
    """The largest distance between the distributions of the bad and of the good."""
    order = np.argsort(score, kind="mergesort")
    ranked = score[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    bads = np.cumsum(bad[order]) / bad.sum()
    goods = np.cumsum(1 - bad[order]) / (len(bad) - bad.sum())
    return float(np.max(np.abs(bads - goods)[last]))


def logistic(score: Floats, bad: Floats) -> tuple[float, float]:
    """Intercept and slope of ln(odds of bad) = a + b · score, by Newton's method."""
    mean, spread, odds = score.mean(), score.std(), bad.mean() / (1 - bad.mean())
    design = np.column_stack([np.ones(len(score)), (score - mean) / spread])
    weights = np.array([np.log(odds), 0.0])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-design @ weights))
        hessian = design.T @ (design * (chance * (1 - chance))[:, None])
        weights = weights + np.linalg.solve(hessian, design.T @ (bad - chance))
    slope = weights[1] / spread
    return float(weights[0] - slope * mean), float(slope)
