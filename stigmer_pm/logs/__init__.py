"""The log files of components: opening one for a run to write to, and reading and following what was written.

The kernel carries the bytes from a component to its file; nothing here ever stands between the two.
"""

from stigmer_pm.logs.follow import Follower
from stigmer_pm.logs.reading import Line, history, tail
from stigmer_pm.logs.sink import open_sink

__all__ = ["Follower", "Line", "history", "open_sink", "tail"]
