"""One source of facts a file."""

REGISTERED = {
    "mlflow": "MlflowCollector",
    "fairness": "FairnessCollector",
    "performance": "PerformanceCollector",
    "drift": "DriftCollector",
    "data_schema": "DataSchemaCollector",
    "provenance": "ProvenanceCollector",
    "developers": "DevelopersCollector",
    "approvals": "ApprovalsCollector",
    "documentation": "DocumentationCollector",
}
"""Each collector's class by its name, which is also its module's name and its block in `mandate.yaml`."""
