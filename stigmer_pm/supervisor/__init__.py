"""The shell around the core: the engine's loop, what it remembers, the socket, becoming a daemon, and recovery.

``launch`` starts a supervisor from a command line, ``foreground`` is one in front; both are a ``service``.
"""
