"""How fast it is, always beside something measured in the same run: figures of one machine mean little alone."""
