"""What all databases that speak SQL share, on SQLAlchemy Core.

SQLAlchemy reflects and compiles; the driver's own cursor carries the rows.
"""
