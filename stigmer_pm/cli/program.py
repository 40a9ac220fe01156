"""How the program is called, and the variable by which a shell asks it to complete a line."""

PROGRAM = "stigmer-pm"
COMPLETION_VARIABLE = "_STIGMER_PM_COMPLETE"
