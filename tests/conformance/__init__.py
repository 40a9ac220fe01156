"""Cases that say how probes and restarts must behave, and a runner for every file of their format.

``python -m tests.conformance FILE`` runs all cases of a file. The format stands in the head of ``k8s.yaml``. What a
case says about the course of a run goes through the real core with a virtual clock; what it says about one attempt goes
through the real handlers against real sockets and processes; what it says about a file goes through the real reader.
"""

from pathlib import Path

K8S = Path(__file__).parent / "k8s.yaml"
