"""chart-check: lints a chart, renders it for every environment, and applies rules to the result."""
