"""Judgement: what the facts say of one customer at one instant (standing), and what follows (tier,
stage, episodes).
"""
