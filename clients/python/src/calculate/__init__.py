"""calculate: square roots and squares, computed by a Calculate server."""
