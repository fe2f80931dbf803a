"""Gauges that are set together, and names that do not collide with Prometheus's own."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Gauge
from prometheus_client.metrics import MetricWrapperBase

from app.infra import metrics
from app.infra.metrics import Board

OF_PROMETHEUS = {"job", "instance", "__name__"}


class TestBoard:
    def test_lets_a_series_fall_to_zero_that_is_gone(self) -> None:
        registry = CollectorRegistry()
        gauge, board = Gauge("grades", "Accounts", ["grade"], registry=registry), Board()
        board.show(gauge, {("A",): 3, ("B",): 1})
        board.show(gauge, {("A",): 4})
        assert registry.get_sample_value("grades", {"grade": "A"}) == 4
        assert registry.get_sample_value("grades", {"grade": "B"}) == 0

    def test_raises_a_series_again_that_comes_back(self) -> None:
        registry = CollectorRegistry()
        gauge, board = Gauge("grades", "Accounts", ["grade"], registry=registry), Board()
        for count in (2, None, 5):
            board.show(gauge, {("A",): count} if count else {})
        assert registry.get_sample_value("grades", {"grade": "A"}) == 5


class TestMetrics:
    def test_have_no_label_that_a_scrape_would_rename(self) -> None:
        """A label `job` of ours would arrive as `exported_job`."""
        ours = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
        assert len(ours) > 10
        assert [metric for metric in ours if OF_PROMETHEUS & set(metric._labelnames)] == []

    def test_are_named_for_the_product(self) -> None:
        ours = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
        names = [family.name for metric in ours for family in metric.collect()]
        assert [name for name in names if not name.startswith("headroom_")] == []
        assert REGISTRY.get_sample_value("headroom_leader") is not None
