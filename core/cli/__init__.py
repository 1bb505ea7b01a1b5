"""The verbs of `python -m core`: each module declares its options, does its work and shows lines."""
