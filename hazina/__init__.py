"""The program under its own name: what comes before any of the rooms."""
