"""helm-publish: publishes the chart of a release with its record, or only the record of an app without chart."""
