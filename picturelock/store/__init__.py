"""The artifact store and all that is kept beside it: copies, uploads, eviction, scratch folders."""
