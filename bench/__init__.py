"""What start, decision, promotion, gate and rendering cost, each beside what it cannot do without."""
