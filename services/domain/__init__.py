"""Pure values and rules, importing nothing but the standard library."""
