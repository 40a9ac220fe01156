"""The workflow runner in small: asks the Stigmer server for jobs, does them, and logs plain lines to stdout.

It runs with any ``python3`` and needs nothing but the standard library. ``STIGMER_URL`` is where the server is,
``RUNNER_NAME`` what the runner calls itself. ``--exit-after`` and ``--exit-code`` make it end by itself, so that one
can watch what a restart policy does.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import queue
import signal
import sys
import time
import urllib.error
import urllib.request

DEFAULT_URL = "http://127.0.0.1:8233"
#: Seconds that the server may take for an answer. It is on this machine; more would only delay the end.
ANSWER_TIMEOUT_S = 2.0
#: Seconds that a job takes.
JOB_S = 0.05


def log(message: str) -> None:
    """Write one line at once: without the flush, Python keeps lines back when stdout is a file."""
    print(time.strftime("%Y-%m-%d %H:%M:%S"), message, flush=True)


def next_job(url: str) -> int:
    """The number of the next job.

    Raises:
        OSError: the server can't be reached, or refuses.
        http.client.HTTPException: what answers does not speak HTTP.
        ValueError: what it answers is not a job.
    """
    # The server is on this machine, whatever proxy the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}/jobs", data=b"", method="POST")
    with opener.open(request, timeout=ANSWER_TIMEOUT_S) as answer:
        document = json.load(answer)
    try:
        return int(document["job"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"expected a job, found {document!r:.60}") from error


def do_one_job(url: str) -> None:
    """Ask for a job and do it. A server that doesn't answer is no reason to end: it is asked again."""
    try:
        job = next_job(url)
    except urllib.error.HTTPError as error:
        error.close()
        log(f"no job: the server answers {error.code} {error.reason}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        log(f"no job from {url}: {getattr(error, 'reason', error)}")
    else:
        log(f"job {job}: started")
        time.sleep(JOB_S)
        log(f"job {job}: done")


def run(url: str, poll_interval_s: float, exit_after_s: float | None) -> bool:
    """Poll until a signal asks for the end (false), or ``exit_after_s`` have passed (true)."""
    # put() of this queue is safe inside a signal handler, which threading.Event.set() is not.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: signals.put(received))
    ends_at = None if exit_after_s is None else time.monotonic() + exit_after_s
    while True:
        do_one_job(url)
        left_s = poll_interval_s if ends_at is None else min(poll_interval_s, max(0.0, ends_at - time.monotonic()))
        try:
            received = signals.get(timeout=left_s)
        except queue.Empty:
            if ends_at is not None and time.monotonic() >= ends_at:
                return True
        else:
            log(f"received {signal.Signals(received).name}; no job is left half done")
            return False


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Ask the Stigmer server for jobs, and do them.")
    parser.add_argument("--poll", type=float, default=1.0, metavar="SECONDS", help="pause between jobs (%(default)s)")
    parser.add_argument("--exit-after", type=float, metavar="SECONDS", help="end by itself after this long")
    parser.add_argument("--exit-code", type=int, default=0, metavar="STATUS", help="with which status (%(default)s)")
    return parser.parse_args()


def main() -> int:
    """Run until told to end; the exit status."""
    arguments = parse_arguments()
    url = os.environ.get("STIGMER_URL", DEFAULT_URL).rstrip("/")
    log(f"{os.environ.get('RUNNER_NAME', 'runner')} polls {url} every {arguments.poll:g} s, pid {os.getpid()}")
    if not run(url, arguments.poll, arguments.exit_after):
        return 0
    status: int = arguments.exit_code
    log(f"ends by itself with status {status}")
    return status


if __name__ == "__main__":
    sys.exit(main())
