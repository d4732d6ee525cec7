"""One entrypoint for each action: its inputs and five calls, inputs, facts, plan, apply and report."""
