"""Where every version of an app is: read in few calls, decided by the same pure functions as a promotion."""
