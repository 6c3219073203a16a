"""The errors a caller can be answered with."""

STATUS_BY_CODE = {
    "InternalServerError": 500,
    "MissingAuthenticationTokenException": 403,
    "UnsupportedProtocolException": 415,
    "ServiceUnavailableException": 503,
    "HumanLoopQuotaExceededException": 402,
}


class Refusal(Exception):
    """A request or document that is refused, with Textract's error code and a sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The status Textract documents for the code; 400 for all but a few."""
        return STATUS_BY_CODE.get(self.code, 400)


def invalid(message: str) -> Refusal:
    """InvalidParameterException: the request itself is wrong and stays wrong."""
    return Refusal("InvalidParameterException", message)


def bad_document(message: str) -> Refusal:
    """BadDocumentException: the document cannot be opened."""
    return Refusal("BadDocumentException", message)


def unsupported(message: str) -> Refusal:
    """UnsupportedDocumentException: the document is of a kind that is not read."""
    return Refusal("UnsupportedDocumentException", message)


def too_large(message: str) -> Refusal:
    """DocumentTooLargeException: the document is over one of Textract's limits."""
    return Refusal("DocumentTooLargeException", message)
