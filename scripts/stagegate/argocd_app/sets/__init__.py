"""ApplicationSets: the Applications that Argo CD's controller makes of one."""
