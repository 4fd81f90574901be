"""Layers, losses and their functional forms: the building blocks of networks."""
