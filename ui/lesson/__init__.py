"""The parts of the Convolutions page."""
