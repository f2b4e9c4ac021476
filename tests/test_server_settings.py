"""Server settings that are refused."""

import pytest

from holmdel.errors import UserError
from holmdel.server import ServerSettings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"port": 70000}, "port was given as 70000; expected 0 to 65535"),
        (
            {"token": " "},
            "the token is empty or has characters outside ASCII; expected ASCII characters",
        ),
        (
            {"token": "gehe\u00efm"},
            "the token is empty or has characters outside ASCII; expected ASCII characters",
        ),
        (
            {"origins": ("example.org",)},
            "an origin was given as 'example.org'; expected one such as https://example.org",
        ),
        (
            {"origins": ("https://example.org/",)},
            "an origin was given as 'https://example.org/'; expected one such as "
            "https://example.org",
        ),
    ],
)
def test_what_cannot_be_is_refused(settings, sentence):
    with pytest.raises(UserError) as refused:
        ServerSettings(**settings)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("lab.example", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert ServerSettings(host=host).loopback is expected


def test_pictures_is_the_old_name_of_images():
    with pytest.warns(DeprecationWarning, match="now 'images'"):
        settings = ServerSettings(pictures=3)
    assert settings.images == 3
    with pytest.warns(DeprecationWarning, match="ServerSettings.images"):
        assert settings.pictures == 3
