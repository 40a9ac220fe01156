"""Bombs: what little text can be made to mean much, or to take long."""

from __future__ import annotations

import re

from hypothesis import strategies as st

#: Characters of the longest file. A real one of 1000 components has twice as many, one of ten has 4000.
LONGEST = 64 * 1024

# What stands between « and » is repeated; @ in it is the number of the repetition.
_REPEATED = re.compile("«(.*?)»", re.DOTALL)

_BOMBS = [
    # wide
    "components: {a: {command: x, environment: {«k@: 1,»}}}",
    "components: {a: {command: x, environment: [«k@=1,»]}}",
    "components: {a: {command: x, labels: [«x,»]}}",
    "components: {a: {command: x, «k@: 1,»}}",
    "components: {a: {command: x, success_exit_codes: [«TREM,»]}}",
    "components: {a: {command: x, probes: {«k@: {tcp: 80},»}}}",
    "components: {a: {command: [«[],»]}}",
    "components: {a: {command: [«$A,»]}}",
    "components: {a: {command: [«$NO,»]}}",
    "components: {a: {image: x, ports: [«q,»]}}",
    "components: {a: {image: x, ports: [«@,»]}}",
    "components: {a: {image: x, ports: [«1-65535,»]}}",
    "components: {a: {image: x, volumes: [«v@:/d@,»]}}",
    "components: {a: {image: x, networks: [«n@,»]}}",
    "components: {«c@: {command: x},»}",
    "components: {«c@: {},»}",
    "components: {«c: {command: x},»}",
    "components: {a: {command: x}, «c@: {command: x, depends_on: [c@]},»}",
    "components: {a: {command: x}, «component@: {command: x, depends_on: [omponent@]},»}",
    "components: {a: {command: x}, «c@: {command: x, depends_on: [a, b, c1, c2, c3]},»}",
    "components: {a: {command: x}}\nenv_file: [«./././extra.env,»]",
    "«!!python/object:os.system [x],»",
    "x-a: [«!a b,»]",
    # deep
    "components: {a: {command: «[»x«]»}}",
    "«{a: »1«}»",
    "«- »",
    "«? »",
    # much
    "defaults: {labels: {«l@: 1,»}, command: x}\ncomponents: {«c@: ,»}",
    "defaults: {environment: {«l@: 1,»}, command: x}\ncomponents: {«c@: {environment: [A=1]},»}",
    "x-a: &a [«x,»]\ncomponents: {a: {command: [«*a,»]}}",
    "x-a: &a '«x»'\ncomponents: {a: {command: [«*a,»]}}",
    "x-a: &a {«l@: 1,»}\ncomponents: {«c@: {command: x, labels: *a},»}",
    "x-a: &a {command: x, restart: never, nice: 1, umask: 022}\ncomponents: {«c@: {<<: *a},»}",
    "x-a: &a {command: x}\ncomponents: {a: {<<: [«*a,»]}}",
    "x-0: &x0 [x,x]\n«x-y@: &x@ [*x@,*x@]\n»",
    # variables
    "components: {a: {command: '«${NO:-»«}»'}}",
    "components: {a: {command: '«${A:+»«}»'}}",
    "components: {a: {command: '«$LONG»'}}",
    "components: {«c@: {command: x, description: $LONG},»}",
    # long texts
    'components: {a: {command: "\'«a b»"}}',
    "components: {a: {command: '«\"a\" »'}}",
    "components: {a: {command: '«\\a»'}}",
    "components: {«a»: {command: x}}",
    "«a»: 1",
    "state_dir: a« »$\n{",
    "state_dir: «a »#$\n{",
    "state_dir: «a/»\ncomponents: {a: {command: x}}",
    "components: {a: {command: x, description: '«http://u:p»'}}",
    "components: {a: {command: x, working_dir: '«../»'}}",
    "components: {a: {image: '«a/»b'}}",
    "components: {a: {image: x, volumes: ['«:/a»']}}",
    "components: {a: {command: x, probes: {readiness: {http: 'http://«a.»/'}}}}",
    "components: {a: {command: x, min_uptime: '«1h»'}}",
    "components: {a: {command: x, min_uptime: «9»}}",
    "components: {a: {command: x, limits: {memory: '«9»GiB'}}}",
    # regular expressions
    "components: {a: {command: x, probes: {readiness: {log: '«(a|»'}}}}",
    "components: {a: {command: x, probes: {readiness: {log: '«(»«)»'}}}}",
    "components: {a: {command: x, probes: {readiness: {log: '«a{1,9}»'}}}}",
    "components: {a: {command: x, probes: {readiness: {log: '«[a-»'}}}}",
    "components: {a: {command: x, probes: {readiness: {log: '(a+)+$'}}}} #«x»",
]


def _explode(drawn: tuple[str, int]) -> str:
    form, times = drawn
    pieces = _REPEATED.findall(form)
    room = LONGEST // (sum(map(len, pieces)) + 4 * len(pieces))
    return _REPEATED.sub(lambda found: "".join(found[1].replace("@", str(i)) for i in range(min(times, room))), form)


#: Each as large as it may be, and smaller: limits lie somewhere between.
BOMBS: st.SearchStrategy[str] = st.tuples(
    st.sampled_from(_BOMBS), st.sampled_from([1, 10, 63, 64, 65, 200, 1000, 5000, LONGEST])
).map(_explode)
