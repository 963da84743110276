"""The living thing: wake-ups, turns, recovery, the lock; the only reader of the clock beside the runner."""
