"""Networks that are none of ours, as data: layers and calls by name, built again without code."""
