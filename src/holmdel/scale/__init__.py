"""Beyond one machine: inputs in parts, over this machine's processes or over a Ray cluster.

    run(job, workers)     answers in a folder or a store of objects, each input exactly once
    connected(address)    the Ray cluster that `--ray` names

docs/scale.md says how it is used, and what a cluster needs.
"""
