"""The real core and the real engine in a virtual world, under a virtual clock, from a seed.

Programs crash, hang, ignore SIGTERM, leave processes behind, become healthy late, or flap; some are containers, which
begin late, are paused, and lose their engine for a while; the supervisor dies at any point between two effects and
recovers; users give any command at any time and edit the file. After every step the
invariants of ``oracle`` must hold. A seed tells a whole history, so a failure is replayed by
``python -m tests.simulation --first SEED --seeds 1``; ``make soak SEEDS=10000`` runs more of them.
"""
