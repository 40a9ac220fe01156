"""The pure core: what should happen next, as functions of spec, state, event and time. No I/O, no clock, no chance."""
