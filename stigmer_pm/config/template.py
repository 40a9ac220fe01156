"""The file that ``stigmer-pm init`` writes."""

from __future__ import annotations

_TEMPLATE = """\
# The components of this project. Apply it with 'stigmer-pm up', look with 'stigmer-pm ps'; edit it, and 'up' again
# restarts only what the edit is about. 'stigmer-pm validate' checks it.
version: 1

# What holds for every component that doesn't say otherwise:
# defaults:
#   restart: always            # or on-failure, unless-stopped, never
#   stop_timeout: 10s

components:
  # A component that does nothing, and does it well. Put your program in its place.
  hello:
    description: says the time once a minute
    command: while true; do date; sleep 60; done
    shell: true                # run the command by /bin/sh; without it, it is split into words and run directly

  # A web server with probes:
  # web:
  #   command: python3 -m http.server ${PORT:-8000} --bind 127.0.0.1
  #   working_dir: ./public
  #   environment:
  #     LOG_LEVEL: info
  #   env_file: web.env
  #   probes:
  #     readiness: {http: "http://127.0.0.1:${PORT:-8000}/"}      # 'up' waits for it
  #     liveness: {tcp: "${PORT:-8000}", period: 10s}             # restarted when it fails three times in a row

  # A worker that starts when the server is ready, and is given up on after five failed runs in a row:
  # worker:
  #   command: ./worker --queue "default"
  #   depends_on:
  #     web: {condition: ready, restart: true}
  #   max_restarts: 5
  #   backoff: {initial: 1s, factor: 2, max: 30s}

  # A job that runs once before the worker:
  # migrate:
  #   command: ./migrate.sh
  #   restart: never
"""


def init_template() -> str:
    """A commented ``stigmer.yaml`` that is valid as it stands: one harmless component, and examples to uncomment."""
    return _TEMPLATE
