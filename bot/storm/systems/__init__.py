"""Partners' own systems in a storm: they call the API, read the feed and take webhooks."""
