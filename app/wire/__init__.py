"""The protocol of a portal as pure functions: bytes in, queries out."""
