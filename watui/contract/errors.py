"""The table of error codes (contract section 5)."""

from typing import NamedTuple

from watui.contract.models import ApiError


class ErrorKind(NamedTuple):
    """A documented error: its title and the HTTP status it travels with."""

    title: str
    http_status: int


GENERIC = 1000
ACCESS_DENIED = 1005
NOT_FOUND = 1006
MISSING = 1008
INVALID = 1009
NOT_REQUIRED = 1010
NOT_READY = 1011
INTERNAL = 1014
TOO_MANY_REQUESTS = 1015
OVERLOADED = 1016
PASSWORD_CHANGE = 1024
BAD_REQUEST = 1025
NOT_ENGAGED = 2048

ERRORS: dict[int, ErrorKind] = {
    GENERIC: ErrorKind("Generic error", 500),
    ACCESS_DENIED: ErrorKind("Access denied", 401),
    NOT_FOUND: ErrorKind("Resource not found", 404),
    MISSING: ErrorKind("Required parameter is missing", 400),
    INVALID: ErrorKind("Parameter value is not valid", 400),
    NOT_REQUIRED: ErrorKind("Parameter is not required", 400),
    NOT_READY: ErrorKind("Service not ready", 503),
    1013: ErrorKind("User is not valid", 400),
    INTERNAL: ErrorKind("Internal error", 500),
    TOO_MANY_REQUESTS: ErrorKind("Too many requests", 429),
    OVERLOADED: ErrorKind("System overloaded", 503),
    1017: ErrorKind("Not primary master", 500),
    1018: ErrorKind("Not primary coreapp", 500),
    1023: ErrorKind("Database error occurred", 500),
    PASSWORD_CHANGE: ErrorKind("Password change required", 401),
    BAD_REQUEST: ErrorKind("Request is not valid", 400),
    1028: ErrorKind("Identity change must be acknowledged", 400),
    NOT_ENGAGED: ErrorKind("Not engaged contact", 400),
}
"""Statuses that no source gives are ordinary readings of the title; 1005 is 403 for the known but not allowed."""


def api_error(code: int, details: str | None = None) -> ApiError:
    """Return the documented error `code` as it stands in an envelope."""
    return ApiError(code=code, title=ERRORS[code].title, details=details)
