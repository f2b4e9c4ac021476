"""Lines of handwriting for training: composed from digits of one writer and drawn strokes.

Nothing here is a scan of a real line: digits come from MNIST, its writers from QMNIST, further
shapes are drawn, and the paper, its rules and its stains are computed.
"""
