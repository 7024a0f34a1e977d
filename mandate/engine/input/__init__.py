"""The input document `mandate/v1`: everything that policies may know about a request.

One module a group of sections. Values are frozen, unknown fields are refused, numbers are
finite doubles (NaN and the infinities are named, see `figures.Number`), and times are UTC.
"""

from .collection import Collected, Collection, Failed, Missing, Reused
from .document import SECTIONS, Input, Section
from .figures import Figure, Interval, Number, Origin
from .people import Approval, Certificate, Developer, Waiver
from .performance import Baseline, NoBaseline, Performance, Rows
from .quality import (
    DataColumn,
    DataSchema,
    Drift,
    DriftedColumn,
    DriftTest,
    Fairness,
    Group,
    SensitiveAttribute,
)
from .registered import (
    Artifact,
    ArtifactFile,
    CardSection,
    Column,
    Dataset,
    Documentation,
    LoggedMetric,
    Measurement,
    Model,
    NamedValue,
    RunSource,
    Signature,
)
from .subject import Action, Request, Subject
from .traceability import Code, Data, Environment, Output, Provenance, Verification

__all__ = [
    "SECTIONS",
    "Action",
    "Approval",
    "Artifact",
    "ArtifactFile",
    "Baseline",
    "CardSection",
    "Certificate",
    "Code",
    "Collected",
    "Collection",
    "Column",
    "Data",
    "DataColumn",
    "DataSchema",
    "Dataset",
    "Developer",
    "Documentation",
    "Drift",
    "DriftTest",
    "DriftedColumn",
    "Environment",
    "Failed",
    "Fairness",
    "Figure",
    "Group",
    "Input",
    "Interval",
    "LoggedMetric",
    "Measurement",
    "Missing",
    "Model",
    "NamedValue",
    "NoBaseline",
    "Number",
    "Origin",
    "Output",
    "Performance",
    "Provenance",
    "Request",
    "Reused",
    "Rows",
    "RunSource",
    "Section",
    "SensitiveAttribute",
    "Signature",
    "Subject",
    "Verification",
    "Waiver",
]
