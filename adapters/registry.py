"""Finds the adapter for a source's URL among the installed packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from inspect import isabstract

from adapters.base import Adapter, Options

GROUP = "b24_connector.adapters"
# Installed from its own files, which no index has.
_OURS = "b24-connector"


class UnknownScheme(ValueError):
    """No installed adapter, or more than one, is for this kind of URL."""


def open_adapter(url: str, options: Options) -> Adapter:
    """The adapter for ``url``, chosen by its scheme.

    That is what stands before ``://``, or before a ``+`` where no adapter claims all of it.

    Raises :class:`UnknownScheme`; the message names the scheme and never the rest of the URL.
    """
    return adapter_class(url)(url, options)


def adapter_class(url: str) -> type[Adapter]:
    """The class that would open ``url``; raises :class:`UnknownScheme`."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise UnknownScheme("a source's url begins with a scheme, as in postgresql://…")
    whole = scheme.lower()
    scheme = whole if entry_points(group=GROUP, name=whole) else whole.partition("+")[0]
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=scheme)}
    if not found:
        known = ", ".join(sorted({entry.name for entry in entry_points(group=GROUP)}))
        raise UnknownScheme(f"no adapter for {scheme}:// is installed; there are {known or 'none'}")
    if len(found) > 1:
        raise UnknownScheme(f"{scheme}:// is claimed by {' and '.join(sorted(found))}: remove one")
    (entry,) = found.values()
    try:
        loaded = entry.load()
    except ModuleNotFoundError as error:
        raise UnknownScheme(
            f"{scheme}:// needs the module {error.name}: {_advice(entry)}"
        ) from error
    except Exception as error:
        raise UnknownScheme(
            f"{entry.value}, found for {scheme}://, cannot be loaded: {type(error).__name__}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Adapter)):
        raise UnknownScheme(f"{entry.value}, found for {scheme}://, is not an Adapter")
    if isabstract(loaded):
        lacking = ", ".join(sorted(loaded.__abstractmethods__))
        raise UnknownScheme(f"{entry.value}, found for {scheme}://, has no {lacking}")
    return loaded


def _advice(entry: EntryPoint) -> str:
    """How to get what ``entry`` lacks: by the extra of its package that brings it, if it has one.

    That is the one that the entry point itself names, or one called like its module.
    """
    offered = entry.dist.metadata.get_all("Provides-Extra", []) if entry.dist else []
    for extra in (*entry.extras, entry.module.rpartition(".")[2]):
        if entry.dist and extra in offered:
            name = entry.dist.name
            return f"pip install '{'.' if name == _OURS else name}[{extra}]'"
    return f"install it; {entry.value} imports it"
