"""The parts of the Mistakes and Demo pages."""
