"""The Actions runner: inputs, outputs, log, masking, summary, and the error boundary of every entrypoint."""
