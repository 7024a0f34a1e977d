"""What is said of running the service: the guide and the alerts, held against what the service measures."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from ruamel.yaml import YAML

from mandate.engine.service.metrics import Metrics
from tests.verifiers import programs

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/service-operating.md").read_text()
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"


def measured() -> dict[str, tuple[str, ...]]:
    """Every measurement with its labels, by the name that Prometheus has for it."""
    found = {}
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            name, labels = metric._name, metric._labelnames
            found[f"{name}_total" if isinstance(metric, Counter) else name] = tuple(labels)
    return found


def test_the_guide_names_every_measurement_with_its_labels() -> None:
    rows = re.findall(r"^\| `(mandate_\w+)` \| ([^|]*)\|", GUIDE, re.MULTILINE)
    assert {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == measured()


def test_each_measurement_is_of_a_kind_that_several_processes_can_share() -> None:
    for metric in vars(Metrics()).values():
        if isinstance(metric, Gauge):
            assert metric._multiprocess_mode in ("livemin", "livemax", "livesum")
        elif isinstance(metric, MetricWrapperBase):
            assert isinstance(metric, (Counter, Histogram))


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(ALERTS)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_alerts_are_about_measurements_that_there_are() -> None:
    known = measured()
    for rule in rules():
        used = re.findall(r"(mandate_\w+)(?:\{([^}]*)\})?", rule["expr"])
        assert used, rule["alert"]
        for name, selected in used:
            assert set(re.findall(r"(\w+)=", selected)) <= set(known[name]), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}


def test_prometheus_can_read_the_alerts() -> None:
    ran = subprocess.run([programs.rules(), ALERTS], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")
    broken = subprocess.run([programs.rules(), __file__], capture_output=True, text=True, check=False)
    assert broken.returncode == 1


def test_settings_that_the_guide_names_are_settings() -> None:
    from mandate.engine.configuration import Settings

    for dotted in set(re.findall(r"`((?:service|opa)\.[a-z_.]+)`", GUIDE)):
        model: Any = Settings
        for part in dotted.split("."):
            assert part in model.model_fields, dotted
            model = model.model_fields[part].annotation
