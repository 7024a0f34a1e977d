"""The service: the same gate behind HTTP. What it answers is what `mandate check` answers."""
