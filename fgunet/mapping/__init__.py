"""From models and series to class maps, their confidence, and mosaics."""
