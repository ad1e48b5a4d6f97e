"""What may go wrong in a source, grouped by what the caller should do about it.

::

    AdapterError
    ├── SourceUnavailable   wait, or ask the operator: no connection, wrong credentials, server gone
    ├── QueryTimeout        ask for less: the query ran into the source's time limit
    ├── QueryCancelled      nothing: it was ended on request
    ├── SchemaChanged       describe again and retry: the table or a column is not what it was
    └── QueryFailed         report it: the database or the adapter refused or broke

The text of each is for the operator's log. It may name hosts, users and SQL and is never shown to
a portal.
"""


class BadAddress(ValueError):
    """A source's URL cannot mean what was meant; the text holds no secret and is shown as it is.

    Raised when an adapter is made, before anything is asked.
    """


class AdapterError(Exception):
    """Any failure of a source."""


class SourceUnavailable(AdapterError):
    """The source cannot be reached or does not let us in."""


class QueryTimeout(AdapterError):
    """The query took longer than the source allows."""


class QueryCancelled(AdapterError):
    """The query was ended by :meth:`adapters.base.Cancellation.cancel`."""


class SchemaChanged(AdapterError):
    """The table or one of its columns is gone or has another type."""


class QueryFailed(AdapterError):
    """The source could not answer for any other reason."""
