"""What can go wrong.

AssayError
├── InputError      a value you gave is not allowed      (also a ValueError)
├── PictureError    a file could not be read as a picture
│   ├── RefusedError    it is not of a kind, or within the limits, that assay reads
│   └── CorruptError    it is of such a kind, but broken
├── WorkspaceError  the workspace cannot be used: held, newer, unwritable, full
├── WorkerError     the processes that read pictures cannot be started
└── UndefinedError  the data cannot answer this question (also a ValueError)
"""


class AssayError(Exception):
    """Every error that assay raises on purpose."""


class InputError(AssayError, ValueError):
    """A value you gave is not allowed."""


class PictureError(AssayError):
    """A file could not be read as a picture."""


class RefusedError(PictureError):
    """A file is not of a kind, or not within the limits, that assay reads."""


class CorruptError(PictureError):
    """A file is of a kind that assay reads, but broken."""


class WorkspaceError(AssayError):
    """The workspace cannot be used."""


class WorkerError(AssayError):
    """The processes that read pictures cannot be started."""


class UndefinedError(AssayError, ValueError):
    """The data cannot answer this question."""
