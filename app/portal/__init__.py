"""The application's side towards portals: registration, installation, tokens, REST methods.

From the outside inwards::

    commands, workspace      the command line          pages      /install and /events
    register, datasets       what our connectors and datasets should be in a portal
    install                  who may install, what is remembered, when it is forgotten
    methods -> rest          the 26 methods, and one call of any of them
    oauth, sessions, store   tokens: renewed under a lock, stored encrypted before they are used
    tile, logo, settings, origins, errors
"""
