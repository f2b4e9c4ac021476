"""C: one header and one source file, C99, without heap or dependencies."""
