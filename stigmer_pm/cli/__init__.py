"""The command line: it parses, asks the supervisor, renders, and returns an exit status. No behaviour lives here.

``app`` has the table of the commands; each stands in the file of its name. ``session`` is what all of them share,
``screen`` is everything that a person sees.
"""
