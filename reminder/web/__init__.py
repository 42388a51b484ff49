"""The office's page: server-rendered HTML that needs no script. Loaded only where it is on."""
