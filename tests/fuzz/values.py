"""Single values that somebody might write in the place of any other, and the names of all fields there are."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stigmer_pm.config.model import File
from stigmer_pm.config.model_component import Component
from stigmer_pm.config.model_container import NetworkBlock, PortBlock
from stigmer_pm.config.model_handlers import HttpHandler, KubernetesHttpHandler
from stigmer_pm.config.model_mount import BindBlock, MountBlock, TmpfsBlock, VolumeBlock
from stigmer_pm.config.model_probe import Probe, ProbeSet
from stigmer_pm.config.model_rules import LimitsBlock
from stigmer_pm.config.spellings import SPELLINGS

_BLOCKS: tuple[Any, ...] = (File, Component, ProbeSet, Probe, HttpHandler, KubernetesHttpHandler, PortBlock, MountBlock,
                            BindBlock, VolumeBlock, TmpfsBlock, NetworkBlock, LimitsBlock)  # fmt: skip

#: Keys of mappings: all that are known, some that nearly are, and names that are the user's.
NAMES = sorted(
    {name for block in _BLOCKS for name in block.model_fields}
    | set(SPELLINGS)
    | {"a", "b", "db", "web", "x-a", "<<", "", " ", "a.b", "a=b", "-", "é", "\x1b[31m", "max_restart", "services",
       "env", "null", "true", "1", "__class__", "a" * 64, "a" * 300, "initial", "factor", "max", "jitter", "condition"}
)  # fmt: skip

#: Texts, by what they are taken for.
TEXTS = [
    # variables
    "$A", "${A}", "${A:-b}", "${A-}", "${A:+x}", "${A:?no}", "${NO}", "${NO:-${A:-${NO:-x}}}", "$$A", "${", "${A:-",
    "$", "$LINES", "$BYTES", "${EMPTY:?}", "${LONG}", "${A}}", "$(date)", "${A%x}", "${1}", "${é}",
    # durations and sizes
    "10s", "1m30s", "30s1m", "1d1h1m1s1ms", "1.5h", "-1s", "1e3s", "s", "999999999999999d", "0.0000000001s", "1 s",
    "\u0661s", "1MiB", "1.5gb", "9223372036854775808", "9223372036854775807", "-1", "unlimited", "0x10", "0o17", "022",
    "1_000",
    # commands and paths
    "x", "a 'b", 'a "b" \\', "a\\", "''", " ", "/", "~", "~root/x", "~nobody-at-all", "../../../../../etc/passwd",
    "./a", "/dev/null", "/dev/zero", "/proc/self/environ", "/proc/self/mem", "a" * 300, "a/" * 3000, "\x00", "a\x00b",
    "//", "*",
    # addresses, ports, volumes
    "80", "80:80", "1-65535", "65536", "[::1]:80:80", "[::1", "127.0.0.1::80", "8000-9000:80", "80/sctp", "http://x/",
    "http://u:p@[::1]:80/a?b#c", "http://[", "http://x:99999/", "https://é/", "x:80", ":80", "unix:/x", "./a:/b:ro,rw",
    "v:/d:ro:z", "/f", "C:\\x:/y", "localhost:5000/a/b:1.2@sha256:abc", "UPPER/case", "a:b:c",
    # words
    "always", "on-failure:5", "on-failure:-1", "on-failure:" + "9" * 50, "never", "no", "yes", "on", "off", "SIGTERM",
    "SIGKILL", "TREM", "99", "completed", "service_healthy", "ready", "host", "none", "bind", "tmpfs", "missing",
    # regular expressions
    "(", "a{1,99999999999}", "(?P<a", "[z-a]", "(a+)+$", "(?i)(?#", "\\", "(?<=a+)b", "(((((((((((x" * 20,
    "x{1000}" * 50,
    # numbers
    "9" * 30, "9" * 5000, "1e400", "-0", ".inf", ".nan", "1e-400", "0b1", "22:22", "1" + "0" * 99,
    # what a terminal obeys, and characters of every kind
    "\x1b[31m", "\x1b]0;x\x07", "\r", "a\nb", "\u202e", "\u2028", "\ufeff", "\ud800", "\U0010ffff", "\x7f", "\x85",
    "é" * 40,
]  # fmt: skip

#: Values of any type.
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from([None, True, False, 0, 1, -1, 80, 65536, 2**63, -(10**30), 0.5, -0.5, 1e300]),
    st.sampled_from([[], {}, [[]], [{}], {"": 0}]),
    st.integers(-(10**6), 10**6),
    st.text(max_size=12),
    st.recursive(
        st.sampled_from(TEXTS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)  # fmt: skip

#: Of a caller. What is in them is bytes; Python has those that are no UTF-8 as halves of characters.
ENVIRONS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({"A": "1", "EMPTY": "", "LINES": "a\nb: c", "BYTES": "\udcff", "LONG": "y" * 5000, "PORT": "80"}),
    st.dictionaries(
        st.sampled_from(["A", "B", "PORT", "EMPTY", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "DOCKER_HOST", "NO_COLOR",
                         "STIGMER_PROFILES", "COLUMNS", "TERM"]),
        st.one_of(st.sampled_from(TEXTS), st.text(max_size=8)).map(lambda text: "".join(
            c for c in text if c != "\0" and not "\ud800" <= c <= "\udc7f" and not "\udd00" <= c <= "\udfff"
        )),
        max_size=4,
    ),
)  # fmt: skip
