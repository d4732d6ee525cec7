"""Publishing the release of an app: the chart with its record, or the record alone where there is no chart."""
