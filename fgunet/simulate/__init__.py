"""A world that never was: landscapes, Sentinel-2 products and reference databases.

It writes what real users have, in the real file layouts, so that the whole chain can be run
and its accuracy measured against a truth that is fully known.
"""
