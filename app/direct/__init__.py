"""Connectors whose users type where their database is: which hosts, which login, whose pool."""
