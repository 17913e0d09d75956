"""Statements and charts as files (needs the extra ``documents``)."""


class DocumentsMissing(Exception):
    """The libraries that draw PDF and PNG are not installed; CSV needs none."""

    def __init__(self) -> None:
        super().__init__("PDF and charts need two more libraries: install hazina[documents]")
