"""Assessments: one explainable score out of many sources, its grade, and the limit and terms recommended."""
