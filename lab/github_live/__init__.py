"""What only the real GitHub can answer, asked in a scratch repository; `lab/live.py` runs these checks."""
