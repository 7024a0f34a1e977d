"""OPA: asked, judged, started, built."""
