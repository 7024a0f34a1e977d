"""CronJobs."""

from __future__ import annotations

from .kind import Kind, from_template

KIND = Kind("batch", "CronJob", from_template("spec", "jobTemplate", "spec", "template"))
