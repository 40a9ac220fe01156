"""The world beneath the supervisor: starting processes, signalling, collecting and finding them. It decides nothing."""
