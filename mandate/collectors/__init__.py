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
    "waivers": "WaiversCollector",
}
"""Each collector's class by its name, which is also its module's name and its block in `mandate.yaml`."""

FROM_THE_LOG = ("approvals", "waivers")
"""Those that need no block there: what they read is in the ledger."""
