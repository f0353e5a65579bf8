"""The documented errors, written by hand from the contract, section 5."""

import msgspec

from watui.contract.errors import ERRORS, api_error

DOCUMENTED = """
1000 500 Generic error
1005 401 Access denied
1006 404 Resource not found
1008 400 Required parameter is missing
1009 400 Parameter value is not valid
1010 400 Parameter is not required
1011 503 Service not ready
1013 400 User is not valid
1014 500 Internal error
1015 429 Too many requests
1016 503 System overloaded
1017 500 Not primary master
1018 500 Not primary coreapp
1023 500 Database error occurred
1024 401 Password change required
1025 400 Request is not valid
1028 400 Identity change must be acknowledged
2048 400 Not engaged contact
"""


def test_the_table_is_the_documented_one() -> None:
    lines = [f"{code} {kind.http_status} {kind.title}" for code, kind in ERRORS.items()]
    assert lines == DOCUMENTED.split("\n")[1:-1]


def test_an_error_in_an_envelope() -> None:
    assert msgspec.json.encode(api_error(1009)) == b'{"code":1009,"title":"Parameter value is not valid"}'
    assert msgspec.json.encode(api_error(2048, "Invalid Request.")) == (
        b'{"code":2048,"title":"Not engaged contact","details":"Invalid Request."}'
    )
