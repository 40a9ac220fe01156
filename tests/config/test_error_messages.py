"""Every kind of mistake: its line, its column, its field, and words that help.

Each case is a file (``C`` stands for one component ``a`` with these fields) and the whole of its one message, but for
what may follow a final ``…``.
"""

# ruff: noqa: E501 (messages stand here as they are printed)

from __future__ import annotations

import pytest

from .conftest import Folder

TOP = {
    "no components": ("version: 1\n", "1:1: expected 'components', which is required"),
    "null components": ("components:\n", "1:1: components: expected at least one component"),
    "empty components": ("version: 1\ncomponents: {}\n", "2:1: components: expected at least one component"),
    "only extensions": ("components: {x-a: {}}\n", "1:1: components: expected at least one component"),
    "list of components": ("components: [a]\n", "1:13: components: expected a mapping of names to components"),
    "version": ("version: 2\ncomponents: {a: {command: x}}\n", "1:10: version: expected 1, the one version of the…"),
    "project": ("project: My Shop\ncomponents: {a: {command: x}}\n", "1:10: project: expected at most 63 lower-case…"),
    "unknown top key": ("servces: 1\ncomponents: {a: {command: x}}\n", "1:1: servces: unknown key 'servces'; there is: version, project, env_file, state_dir, defaults, components"),
    "compose's services": (
        "services: 1\ncomponents: {a: {command: x}}\n",
        "1:1: services: unknown key 'services'; Compose's services are 'components' here; what else differs, "
        "'From a Compose file' in docs/how-to/containers.md says",
    ),
    "component's name": (
        "components:\n  -a: {command: x}\n",
        "2:3: components.-a: expected a name of at most 63 letters, digits, '.', '_' and '-' that begins with a letter "
        "or digit, found '-a'",
    ),
    "long name": (f"components:\n  {'a' * 64}: {{command: x}}\n", f"2:3: components.{'a' * 64}: expected a name of…"),
    "component no mapping": ("components:\n  a: sleep 1\n", "2:6: components.a: expected a mapping, found 'sleep 1'"),
    "component a list": ("components:\n  a: [x]\n", "2:6: components.a: expected a mapping, found a list"),
    "nothing to run": (
        "components:\n  a:\n    restart: no\n",
        "2:3: components.a: expected 'command' (a process) or 'image' (a container)",
    ),
    "null component": ("components:\n  a:\n", "2:3: components.a: expected 'command' (a process) or 'image' (a…"),
    "defaults": (
        "defaults:\n  min_uptime: x\ncomponents: {a: {command: x}, b: {command: y}}\n",
        "2:15: defaults.min_uptime: expected a duration such as 500ms, 10s, 1m30s or 2h, found 'x'",
    ),
    "defaults no mapping": ("defaults: 5\ncomponents: {a: {command: x}}\n", "1:11: defaults: expected a mapping, found…"),
    "dotted name": (
        "components:\n  a.b: {command: x, nice: 20}\n",
        '2:27: components."a.b".nice: expected a whole number from -20 to 19, found 20',
    ),
    "duplicate component": (
        "components:\n  a: {command: x}\n  b: {command: x}\n  a: {command: y}\n",
        "4:3: components.a: 'a' stands here for the second time; the first is in line 2",
    ),
    "duplicate key": (
        "components:\n  a:\n    command: x\n    nice: 1\n    nice: 2\n",
        "5:5: components.a.nice: 'nice' stands here for the second time; the first is in line 4",
    ),
    "one log": (
        "components:\n  a: {command: x, log: l.log}\n  b: {command: x, log: ./sub/../l.log}\n",
        "3:24: components.b.log: 'a' writes to the same log, …",
    ),
    "unknown dependency": (
        "components:\n  web: {command: x}\n  a:\n    command: x\n    depends_on:\n      - wbe\n",
        "6:9: components.a.depends_on[0]: no component is called 'wbe'; did you mean 'web'?",
    ),
    "unknown dependency in a mapping": (
        "components:\n  a:\n    command: x\n    depends_on:\n      wbe: {restart: true}\n",
        "5:7: components.a.depends_on.wbe: no component is called 'wbe'",
    ),
    "cycle": (
        "components:\n  a: {command: x, depends_on: [b]}\n  b: {command: x, depends_on: [c]}\n"
        "  c: {command: x, depends_on: [a]}\n",
        "2:32: components.a.depends_on[0]: the components depend on each other in a cycle: a -> b -> c -> a",
    ),
    "cycle further down": (
        "components:\n  z: {command: x, depends_on: [b]}\n  a: {command: x, depends_on: {b: {}}}\n"
        "  b: {command: x, depends_on: [a]}\n",
        "3:32: components.a.depends_on.b: the components depend on each other in a cycle: a -> b -> a",
    ),
    "needs itself": (
        "components:\n  a: {command: x, depends_on: [a]}\n",
        "2:32: components.a.depends_on[0]: the components depend on each other in a cycle: a -> a",
    ),
    "completed of always": (
        "components:\n  a: {command: x, depends_on: {b: {condition: completed}}}\n  b: {command: x}\n",
        "2:47: components.a.depends_on.b.condition: 'b' never completes, for it has 'restart: always'; give it "
        "'on-failure' or 'never'",
    ),
    "completed of unless-stopped": (
        "components:\n  a: {command: x, depends_on: {b: {condition: service_completed_successfully}}}\n"
        "  b: {command: x, restart: unless-stopped}\n",
        "2:47: components.a.depends_on.b.condition: 'b' never completes, for it has 'restart: unless-stopped'; give…",
    ),
    "profile": (
        "components:\n  a: {command: x, depends_on: [b]}\n  b: {command: x, profiles: [data, all]}\n",
        "2:32: components.a.depends_on[0]: 'b' is in the profile 'data' or 'all' only; choose it: --profile data",
    ),
    "container name": (
        "project: p\ncomponents:\n  a: {image: i}\n  b: {image: i, container_name: p-a}\n",
        "4:33: components.b.container_name: the container of 'a' is called 'p-a' as well; give each its own",
    ),
    "unset variable": (
        "components:\n  a: {command: 'x ${NO_SUCH}'}\n",
        "2:16: components.a.command: the variable 'NO_SUCH' is not set; set it, give it a default "
        "(${NO_SUCH:-value}), or write $$NO_SUCH for a dollar sign",
    ),
    "unset variable in a number": (
        "components:\n  a: {command: x, max_restarts: $NO_SUCH}\n",
        "2:33: components.a.max_restarts: the variable 'NO_SUCH' is not set; set it…",
    ),
    "unset variable in place of a mapping": (
        "components:\n  a: {command: x, probes: $NO_SUCH}\n",
        "2:27: components.a.probes: the variable 'NO_SUCH' is not set; set it…",
    ),
    "required variable": (
        "components:\n  a: {command: x, user: '${WHO:?name a user}'}\n",
        "2:25: components.a.user: the variable 'WHO' is not set, and is required: name a user",
    ),
    "missing env_file": ("env_file: no.env\ncomponents: {a: {command: x}}\n", "1:11: env_file: the file does not exist (…"),
    "missing env_file in a list": (
        "env_file:\n  - no.env\ncomponents: {a: {command: x}}\n",
        "2:5: env_file[0]: the file does not exist (…",
    ),
    "env_file no path": ("env_file: {}\ncomponents: {a: {command: x}}\n", "1:11: env_file: expected a path, found a mapping"),
    "empty state_dir": ("state_dir: ''\ncomponents: {a: {command: x}}\n", "1:12: state_dir: expected a path, found an…"),
}  # fmt: skip

# The line is 2 and the fields begin in column 7.
FIELDS = {
    "command: ''": "16: components.a.command: expected a command, found an empty one",
    "command: []": "16: components.a.command: expected a command, found an empty list",
    "command: [x, [y]]": "20: components.a.command[1]: expected a word, found a list",
    "command: ['', y]": "17: components.a.command[0]: expected the name of a program, found an empty one",
    "command: {a: b}": "16: components.a.command: expected a command, as a string or a list of words, found a mapping",
    'command: "x \'y"': "16: components.a.command: cannot split the command into words: a quotation mark in it is…",
    "command: 'x \\'": "16: components.a.command: cannot split the command into words: it ends in a backslash",
    'command: "a\\0b"': "16: components.a.command: expected text without the character NUL (\\0), which ends every…",
    "command: [x], shell: true": "28: components.a.shell: expected a string as the command: 'shell: true' runs no list…",
    "command: x, shell: no": "26: components.a.shell: expected true or false, found 'no'; write false",
    "command: x, comand: y": "19: components.a.comand: unknown key 'comand'; did you mean 'command'?",
    "command: x, max_restart: 3": "19: components.a.max_restart: unknown key 'max_restart'; did you mean 'max_restarts'?",
    "command: x, cwd: .": "19: components.a.cwd: unknown key 'cwd'; did you mean 'working_dir'?",
    "command: x, healthcheck: {}": "19: components.a.healthcheck: unknown key 'healthcheck'; write its test as a probe:…",
    "command: x, ports: [80]": "19: components.a.ports: for containers only; this component has no 'image'",
    "command: x, pull: always": "19: components.a.pull: for containers only; this component has no 'image'",
    "image: i, umask: 022": "17: components.a.umask: for processes only; this component has an 'image'",
    "image: i, shell: true, command: x": "17: components.a.shell: for processes only; this component has an 'image'",
    "image: 5": "14: components.a.image: expected the name of an image, found the number 5; put it in quotes if it is…",
    "image: i, working_dir: x": "30: components.a.working_dir: expected an absolute path in the container, found 'x'",
    "image: i, container_name: -x": "33: components.a.container_name: expected a name of two or more letters, digits, '_', '.'…",
    "image: i, pull: often": "23: components.a.pull: expected missing, always or never, found 'often'",
    "image: i, ports: 80": "24: components.a.ports: expected a list, found the number 80",
    "image: i, ports: [a:80]": "25: components.a.ports[0]: expected a port from 1 to 65535, or a range such as…",
    "image: i, ports: [70000]": "25: components.a.ports[0]: expected a port from 1 to 65535, or a range such as 3000-3005,…",
    "image: i, ports: ['1-3:1-2']": "25: components.a.ports[0]: expected as many published ports as ports of the…",
    "image: i, ports: [{published: 1}]": "25: components.a.ports[0].target: expected 'target', which is required",
    "image: i, ports: [{target: 1, protocol: x}]": "47: components.a.ports[0].protocol: expected tcp, udp or sctp,…",
    "image: i, volumes: ['a:/b:rx']": "27: components.a.volumes[0]: expected ro, rw, z, Z, nocopy, consistent,…",
    "image: i, volumes: ['a:b']": "27: components.a.volumes[0]: expected an absolute path in the container, found 'b'",
    "image: i, volumes: ['a/b:/c']": "27: components.a.volumes[0]: expected the name of a volume (letters, digits,…",
    "image: i, volumes: [{type: bind, target: /c}]": "27: components.a.volumes[0]: expected 'source', the path that…",
    "command: x, labels: {a: [b]}": "31: components.a.labels.a: expected a single value, found a list",
    "command: x, labels: [a]": "28: components.a.labels[0]: expected NAME=VALUE, found 'a'",
    "command: x, environment: 5": "32: components.a.environment: expected a mapping, or a list of NAME=VALUE, found the…",
    "command: x, environment: {'': b}": '33: components.a.environment."": expected the name of a variable, found an…',
    "command: x, environment: {'a=b': c}": "33: components.a.environment.a=b: expected the name of a variable without…",
    "command: x, environment: [=b]": "33: components.a.environment[0]: expected the name of a variable, found an empty one",
    "command: x, environment: [a=1, a=2]": "38: components.a.environment[1]: 'a' stands here for the second time",
    'command: x, environment: {a: "\\0"}': "36: components.a.environment.a: expected text without the character NUL…",
    "command: x, env_file: no.env": "29: components.a.env_file: the file does not exist (…",
    "command: x, env_file: [no.env]": "30: components.a.env_file[0]: the file does not exist (…",
    "command: x, env_file: .": "29: components.a.env_file: cannot read the file: it is a folder (…",
    "command: x, umask: 099": "26: components.a.umask: expected a umask of octal digits from 000 to 777, found the number 99",
    "command: x, umask: '1777'": "26: components.a.umask: expected a umask of octal digits from 000 to 777, found '1777'",
    "command: x, nice: 1.5": "25: components.a.nice: expected a whole number from -20 to 19, found the number 1.5",
    "command: x, nice: true": "25: components.a.nice: expected a whole number from -20 to 19, found true",
    "command: x, limits: {nofil: 1}": "28: components.a.limits.nofil: unknown key 'nofil'; did you mean 'nofile'?",
    "command: x, limits: {nofile: -1}": "36: components.a.limits.nofile: expected a whole number from 0 to…",
    "command: x, limits: {core: big}": "34: components.a.limits.core: expected a size such as 512KiB, 10MB or 2GiB,…",
    "command: x, limits: 5": "27: components.a.limits: expected a mapping, found the number 5",
    "command: x, restart: alwys": "28: components.a.restart: expected always, on-failure, on-failure:N, unless-stopped or "
    "never, found 'alwys'; did you mean 'always'?",
    "command: x, restart: false": "28: components.a.restart: expected always, on-failure, on-failure:N, unless-stopped or "
    "never, found false; write never",
    "command: x, restart: 'on-failure:x'": "28: components.a.restart: expected always, on-failure, on-failure:N,…",
    "command: x, restart: 'on-failure:3', max_restarts: 5": "58: components.a.max_restarts: 'restart: on-failure:3' says"
    " 3; give only one of them",
    "command: x, min_uptime: 0": "31: components.a.min_uptime: expected a duration above 0, found 0",
    "command: x, min_uptime: 5q": "31: components.a.min_uptime: expected a duration such as 500ms, 10s, 1m30s or 2h,…",
    "command: x, min_uptime: -5": "31: components.a.min_uptime: expected a duration of 0 or more, found a negative one",
    "command: x, min_uptime: .inf": "31: components.a.min_uptime: expected a duration of at most 10000 years",
    "command: x, min_uptime: true": "31: components.a.min_uptime: expected a duration such as 10s, found true",
    "command: x, min_uptime: null": "31: components.a.min_uptime: expected a duration such as 10s, found nothing",
    "command: x, max_restarts: '5'": "33: components.a.max_restarts: expected a whole number from 0 to 2147483647 or "
    "'unlimited', found '5'; remove the quotes",
    "command: x, max_restarts: -1": "33: components.a.max_restarts: expected a whole number from 0 to 2147483647 or…",
    "command: x, backoff: {factor: 0.5}": "37: components.a.backoff.factor: expected a number of 1 or more and 1000 at…",
    "command: x, backoff: {jitter: 2}": "37: components.a.backoff.jitter: expected a number of 0 or more and 1 at most,…",
    "command: x, backoff: {jitter: .nan}": "37: components.a.backoff.jitter: expected a number of 0 or more and 1 at…",
    "command: x, backoff: 5x": "28: components.a.backoff: expected a duration such as 500ms, 10s, 1m30s or 2h, found '5x'",
    "command: x, backoff: [1]": "28: components.a.backoff: expected a duration or a mapping, found a list",
    "command: x, success_exit_codes: [0, 256]": "43: components.a.success_exit_codes[1]: expected an exit status from 0…",
    "command: x, success_exit_codes: [SIGTREM]": "40: components.a.success_exit_codes[0]: expected an exit status from 0 "
    "to 255, or the name of a signal, found 'SIGTREM'; did you mean 'SIGTERM'?",
    "command: x, stop_signal: SIGTREM": "32: components.a.stop_signal: expected the name of a signal such as SIGTERM, "
    "found 'SIGTREM'; did you mean 'SIGTERM'?",
    "command: x, depends_on: b": "31: components.a.depends_on: expected a list of names, or a mapping, found 'b'",
    "command: x, depends_on: [[b]]": "32: components.a.depends_on[0]: expected a name, found a list",
    "command: x, log: {keep: 1}": "25: components.a.log.keep: not supported yet; remove it, for the log is not rotated",
    "command: x, log: {max_size: 10MiB}": "25: components.a.log.max_size: not supported yet; remove it, for the log is…",
    "command: x, log: {compress: true}": "25: components.a.log.compress: not supported yet; remove it, for the log is…",
    "command: x, log: {max_size: 1x}": "35: components.a.log.max_size: expected a size such as 512KiB, 10MB or 2GiB,…",
    "command: x, log: []": "24: components.a.log: expected a path or a mapping, found a list",
    "command: x, replicas: 3": "19: components.a.replicas: not supported yet; write one component for each instance",
    "command: x, replicas: 0": "29: components.a.replicas: expected a whole number from 1 to 10000, found 0",
    "command: x, autostart: maybe": "30: components.a.autostart: expected true or false, found 'maybe'",
    "command: x, schedule: '* * * * *'": "19: components.a.schedule: not supported yet; remove it; cron can call…",
    "command: x, schedule: 5": "29: components.a.schedule: expected a cron expression, found the number 5; put it in…",
    "command: x, watch: src": "19: components.a.watch: not supported yet; remove it; 'stigmer-pm restart' after a change…",
    "command: x, hooks: {pre_start: ./x}": "19: components.a.hooks: not supported yet; remove it; a script as the…",
    "command: x, notify: {mail: me}": "19: components.a.notify: not supported yet; remove it; 'stigmer-pm events…",
    "command: x, limits: {memory: 1GiB}": "28: components.a.limits.memory: not supported yet for a process; remove it,…",
    "command: x, limits: {cpu: 1.5}": "28: components.a.limits.cpu: not supported yet for a process; remove it, or move…",
    "command: x, limits: {cpu: 0}": "33: components.a.limits.cpu: expected a number of 0.01 or more and 100000 at most,…",
    "image: i, limits: {memory: 5MiB}": "34: components.a.limits.memory: expected 6MiB or more, which is the least that…",
    "command: x, probes: {live: {}}": "28: components.a.probes.live: unknown key 'live'; did you mean 'liveness'?",
    "command: x, probes: {liveness: {}}": "28: components.a.probes.liveness: expected a handler: http, tcp, exec, grpc or log",
    "command: x, probes: {liveness: }": "28: components.a.probes.liveness: expected a handler: http, tcp, exec, grpc or log",
    "command: x, probes: {liveness: 80}": "38: components.a.probes.liveness: expected a mapping, found the number 80",
    "command: x, probes: {liveness: {tcp: 80, http: {port: 80}}}": "39: components.a.probes.liveness.tcp: expected one "
    "handler, found 'http' as well",
    "command: x, probes: {liveness: {tcp: 0}}": "44: components.a.probes.liveness.tcp: expected a port from 1 to 65535,…",
    "command: x, probes: {liveness: {tcp: '80'}}": "44: components.a.probes.liveness.tcp: expected a port from 1 to 65535, "
    "found '80'; remove the quotes",
    "command: x, probes: {liveness: {tcp: web}}": "44: components.a.probes.liveness.tcp: no port under 'ports' is called "
    "'web'; write its number",
    "command: x, probes: {liveness: {tcp: {}}}": "39: components.a.probes.liveness.tcp.port: expected 'port', which is required",
    "command: x, probes: {liveness: {http: /healthz}}": "45: components.a.probes.liveness.http: expected a URL such as "
    "http://127.0.0.1:8080/healthz, found '/healthz'; write {port: 8080, path: /healthz} for this machine",
    "command: x, probes: {liveness: {http: 'http://u:p@h/'}}": "45: components.a.probes.liveness.http: expected a URL such "
    "as http://127.0.0.1:8080/healthz without a user; send the header 'Authorization' instead",
    "command: x, probes: {liveness: {http: {port: 80, pth: /}}}": "56: components.a.probes.liveness.http.pth: unknown key "
    "'pth'; did you mean 'path'?",
    "command: x, probes: {liveness: {http: {port: 80, headers: {X Y: 1}}}}": "66: components.a.probes.liveness.http."
    'headers."X Y": expected the name of a header (letters, digits and \'-\'), found \'X Y\'',
    "command: x, probes: {liveness: {exec: ''}}": "45: components.a.probes.liveness.exec: expected a command, found an…",
    "command: x, probes: {liveness: {exec: {command: []}}}": "55: components.a.probes.liveness.exec.command: expected a "
    "command, found an empty list",
    "command: x, probes: {liveness: {tcp: 80, success_threshold: 2}}": "67: components.a.probes.liveness.success_threshold"
    ": expected 1 for a liveness probe, found 2",
    "command: x, probes: {readiness: {tcp: 80, termination_grace: 5s}}": "68: components.a.probes.readiness."
    "termination_grace: not for a readiness probe, which ends nothing",
    "command: x, probes: {liveness: {tcp: 80, period: 1s, periodSeconds: 1}}": "60: components.a.probes.liveness."
    "periodSeconds: 'period' and 'periodSeconds' are two spellings of one field",
    "command: x, probes: {liveness: {tcp: 80}, livenessProbe: {tcp: 81}}": "49: components.a.probes.livenessProbe: "
    "'liveness' and 'livenessProbe' are two spellings of one probe",
    "command: x, probes: {liveness: {tcp: 80, periodSecond: 1}}": "48: components.a.probes.liveness.periodSecond: unknown "
    "key 'periodSecond'; did you mean 'periodSeconds'?",
    "command: x, probes: {liveness: {tcp: 80, perod: 1}}": "48: components.a.probes.liveness.perod: unknown key 'perod'; "
    "did you mean 'period'?",
    "command: x, probes: {liveness: {log: ready}}": "39: components.a.probes.liveness.log: for startup and readiness only: what a program has said once says nothing about how it is now",
    "command: x, probes: {startup: {log: '('}}": "43: components.a.probes.startup.log: expected a regular expression, found '(': missing ), unterminated subpattern at position 0",
    "command: x, probes: {readiness: {redis: {port: 1}}}": "40: components.a.probes.readiness.redis: unknown key 'redis'",
    "command: x, probes: {liveness: {grpc: {port: x}}}": "52: components.a.probes.liveness.grpc.port: expected a whole…",
}  # fmt: skip


def _matches(found: str, expected: str) -> bool:
    return found.startswith(expected[:-1]) if expected.endswith("…") else found == expected


@pytest.mark.parametrize("name", sorted(TOP))
def test_a_mistake_in_the_file_is_said_once_at_its_place(folder: Folder, name: str) -> None:
    """config.md: "Every error names file, line, column and field path, says what was expected and what stands there"."""
    text, expected = TOP[name]
    found = folder.problem(text)
    assert _matches(found, expected), found


@pytest.mark.parametrize("fields", sorted(FIELDS))
def test_a_mistake_in_a_field_is_said_once_at_its_place(folder: Folder, fields: str) -> None:
    """Each with what is valid."""
    found = folder.problem(f"components:\n  a: {{{fields}}}\n")
    assert _matches(found, f"2:{FIELDS[fields]}"), found


def test_all_problems_of_a_file_are_told_at_once_in_its_order(folder: Folder) -> None:
    """Of syntax trees, variables, types, rules and other files together."""
    folder.write("A=1\nnot an assignment\n", "b.env")
    found = folder.problems(
        """
        version: 3
        components:
          a:
            command: "x $NO_SUCH"
            max_restart: 1
            probes:
              liveness: {period: 5q, tcp: 80, http: {port: 80}}
              readiness: {timeout: 1s}
            depends_on: [nobody]
          b:
            command: x
            env_file: b.env
            ports: [80]
            ports: [81]
          c: {}
        """
    )
    assert [line.split(" ")[0] for line in found] == [
        "2:10:", "5:14:", "6:5:", "8:26:", "8:30:", "9:7:", "10:18:", "14:5:", "15:5:", "16:3:", "b.env:2:1:"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "first", "second"),
    [
        ("watch: {pth: [a]}", "watch: not supported yet", "watch.pth: unknown key 'pth'; did you mean 'paths'?"),
        ("watch: {debounce: x}", "watch: not supported yet", "watch.debounce: expected a duration such as"),
        ("hooks: {prestart: ./x}", "hooks: not supported yet", "hooks.prestart: unknown key 'prestart'; did you mean"),
    ],
)
def test_what_is_still_to_come_is_checked_all_the_same(folder: Folder, fields: str, first: str, second: str) -> None:
    """Refused, and its own mistakes told as well."""
    found = folder.problems(f"components: {{a: {{command: x, {fields}}}}}\n")
    assert [words in line for words, line in zip((first, second), found, strict=True)] == [True, True], found


def test_a_problem_of_defaults_is_told_once_and_there(folder: Folder) -> None:
    """Not at each of the components that have it from there."""
    found = folder.problems(
        "defaults: {nice: 99, probes: {liveness: {period: 1s}}}\ncomponents: {a: {command: x}, b: {command: y}}\n"
    )
    assert len(found) == 2
    assert found[0].startswith("1:18: defaults.nice: ")
    assert "probes.liveness: expected a handler" in found[1]


def test_an_error_through_an_alias_is_told_once_where_it_is_written(folder: Folder) -> None:
    """At the anchor."""
    text = "x-t: &t {min_uptime: no}\ncomponents: {a: {<<: *t, command: x}, b: {<<: *t, command: y}}\n"
    assert folder.problem(text).startswith("1:22: components.a.min_uptime: expected a duration")


def test_messages_are_one_line_each_and_bounded(folder: Folder) -> None:
    """However long what stands there is."""
    found = folder.problem("components: {a: {command: x, min_uptime: " + "z" * 5000 + "}}\n")
    assert "\n" not in found
    assert len(found) < 250
