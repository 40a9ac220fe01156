"""Somebody sets the clock of the machine, far and in both directions: no wait gets longer or shorter for it.

The clock is that of the supervisor and of the commands: a library that is loaded before the C library adds what a file
says to the time of day. (Really setting it would be the end of everything else on this machine.)
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.project import Project, eventually

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long offset(void) {
    const char *path = getenv("CLOCK_OFFSET_FILE");
    FILE *file = path ? fopen(path, "re") : NULL;
    long seconds = 0;
    if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
    return seconds;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, at);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec; at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""

YEAR = 365 * 24 * 3600


@pytest.fixture
def set_clock(project: Project) -> Callable[[int], None]:
    """Sets the clock that the project's supervisor and commands see so many seconds ahead."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    project.write(SHIM, "shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "shim.so", "shim.c", "-ldl"], cwd=project.dir, check=True)
    offset = project.dir / "offset"

    def set_to(seconds: int) -> None:
        new = project.dir / "offset.new"
        new.write_text(str(seconds))
        new.replace(offset)  # at once: whoever reads it sees the old or the new one

    set_to(0)
    project.environ |= {"LD_PRELOAD": str(project.dir / "shim.so"), "CLOCK_OFFSET_FILE": str(offset)}
    seen = subprocess.run(
        [*project.argv()[:1], "-c", "import time; print(time.time())"],
        env=project.environ | {"CLOCK_OFFSET_FILE": str(project.write(str(YEAR), "year"))},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    if float(seen.stdout) - time.time() < YEAR - 3600:
        pytest.skip("this Python can't be shown another time")
    return set_to


FILE = """
    components:
      waits: {command: ./waits, backoff: 4s}
      stubborn: {command: ./stubborn, stop_timeout: 2s}
      probed: {command: sleep 1000, probes: {liveness: {exec: ./check, period: 200ms}}}
      steady: {command: sleep 1000}
"""


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_set_clock_moves_no_deadline(project: Project, set_clock: Callable[[int], None], jump: int) -> None:
    """Backoff, the time until SIGKILL and the period of probes are as long as before; nothing is restarted for it."""
    project.script("waits", "#!/bin/sh\ntest -e good || exit 3\nexec sleep 1000\n")
    project.script("stubborn", "#!/bin/sh\ntrap '' TERM\ntouch prepared\nwhile :; do sleep 0.1; done\n")
    project.script("check", "#!/bin/sh\necho x >>asked\n")
    project.write(FILE)
    project.up("--no-wait")
    project.wait_phase("waits", "backoff")
    eventually((project.dir / "prepared").exists)
    began = time.monotonic()
    project.write("", "good")
    before = project.pids()
    set_clock(jump)
    waiting = project.ps()["waits"]["next_restart"]
    # Times are shown by the clock as it is now, so that "in 3 s" stays in 3 s.
    assert waiting is None or abs(int(waiting[:4]) - time.gmtime(time.time() + jump).tm_year) <= 1
    assert project.run("stop", "stubborn").seconds < 20
    assert project.ps()["stubborn"]["last_exit"]["signal"] == "SIGKILL"
    project.wait_phase("waits", "running", deadline=20.0)
    assert time.monotonic() - began < 25
    asked = (project.dir / "asked").read_text().count("x")
    eventually(lambda: (project.dir / "asked").read_text().count("x") > asked + 2, "probes go on")
    after = project.pids()
    assert (after["probed"], after["steady"]) == (before["probed"], before["steady"])
    os.kill(project.pid("steady"), signal.SIGKILL)
    eventually(lambda: project.ps()["steady"]["restarts"] == 1 and project.ps()["steady"]["pid"])
    assert "restart 1" in project.ok("events", "--since", "1m").out


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_clock_that_was_set_between_two_supervisors_changes_nothing(
    project: Project, set_clock: Callable[[int], None], jump: int
) -> None:
    """What is taken over is what it was: same pids, same counts, the same deadline."""
    project.script("waits", "#!/bin/sh\nexit 3\n")
    project.write("components: {waits: {command: ./waits, backoff: 30s}, steady: {command: sleep 1000}}\n")
    project.up("--no-wait")
    project.wait_phase("waits", "backoff")
    before = project.ps()
    project.kill_supervisor()
    set_clock(jump)
    project.up("--no-wait")
    after = project.ps()
    assert after["steady"]["pid"] == before["steady"]["pid"]
    assert (after["waits"]["phase"], after["waits"]["run"]) == ("backoff", before["waits"]["run"])
