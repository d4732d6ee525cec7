"""chart-check: lint, render for every environment, and the rules over what is rendered."""
