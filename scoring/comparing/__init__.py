"""Is B slower than A, and is it chance? `compare` asks; `versus` answers, `view` shows it."""
