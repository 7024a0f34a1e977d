"""The cluster's door: what a Kubernetes API server asks before it stores an object."""
