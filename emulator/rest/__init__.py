"""The portal's REST API: its methods, their checks, and the server in front of them."""
