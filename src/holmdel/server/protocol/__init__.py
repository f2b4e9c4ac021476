"""The messages of the Open Inference Protocol, version 2; `routes/inference.py` has its routes."""
