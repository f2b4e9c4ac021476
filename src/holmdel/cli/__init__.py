"""The command line: one file per verb; `app` puts them together.

Each verb parses, calls the library once and prints. Nothing here imports torch before a verb runs,
so that `holmdel --help` is quick.
"""
