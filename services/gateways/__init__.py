"""The outside world behind the ports: one module a provider."""
