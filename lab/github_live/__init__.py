"""Checks that only the real GitHub can answer, in a scratch repository; `lab/live.py` runs them."""
