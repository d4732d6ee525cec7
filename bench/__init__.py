"""The cost of start, decision, promotion, gate and rendering, each compared with the unavoidable work."""
