"""The program ``stigmer-pm``; ``python -m stigmer_pm`` is the same."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Run the command line and exit with its status."""
    # Until the command line is there to say a word about it, Ctrl-C ends the program as it ends any other.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _open_standard_streams()
    if "STIGMER_PM_HANDOVER" in os.environ:
        from stigmer_pm.successor import take_over

        status = take_over()
        if status is not None:
            sys.exit(status)
    arguments = sys.argv[1:]
    if os.getpid() == 1 and {"--foreground", "--service"} & set(arguments):
        # The kernel drops what process 1 does not handle, and imports take a while: SIGTERM waits for its handler.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
    seed = None
    if "up" in arguments[:3] and not {"--help", "-h", "--dry-run", "--foreground", "--service"} & set(arguments):
        # Forked before click, yaml and pydantic are imported: the supervisor never needs them, and its own imports
        # run beside those of the command line.
        from stigmer_pm.supervisor.launch import prefork

        with suppress(OSError):  # no further process may be made: said when it is known that one is needed
            seed = prefork()
    from stigmer_pm.cli.app import run

    sys.exit(run(arguments, seed))


def _open_standard_streams() -> None:
    """Put /dev/null where stdin, stdout or stderr is closed: what is opened next would get its number, and be taken for
    it by whoever writes there."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


if __name__ == "__main__":
    main()
