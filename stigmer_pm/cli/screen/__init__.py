"""Everything that a person sees: where it goes, how it is coloured, and how times and amounts are worded."""
