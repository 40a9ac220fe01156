"""Real supervisors killed, real components that die without end, and a judge that is none of them.

Short forms are part of ``make test``; ``make chaos`` and ``make soak-real`` run them as long as one likes.
"""
