"""The public URL taken apart, and what is refused with a way out."""

import pytest

from pattern_sync.domain.public_url import PublicUrl


@pytest.mark.parametrize(
    ("text", "origin", "host", "prefix"),
    [
        ("https://review.example/patterns/", "https://review.example", "review.example", "/patterns"),
        ("https://review.example/patterns", "https://review.example", "review.example", "/patterns"),
        ("https://review.example", "https://review.example", "review.example", ""),
        ("https://review.example/", "https://review.example", "review.example", ""),
        ("HTTPS://Review.Example:443/Team/p-1.x~y_z/", "https://review.example", "review.example", "/Team/p-1.x~y_z"),
        ("http://review.example.:8080/x", "http://review.example:8080", "review.example", "/x"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080", "2001:db8::1", ""),
        ("http://10.0.0.5/", "http://10.0.0.5", "10.0.0.5", ""),
    ],
)
def test_origin_host_and_path_follow_from_the_url(text: str, origin: str, host: str, prefix: str) -> None:
    url = PublicUrl.parse(text)
    assert (url.origin, url.host, url.prefix) == (origin, host, prefix)
    assert PublicUrl.parse(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "review.example/patterns",
        "/patterns/",
        "ftp://review.example/",
        "https://",
        "https:///patterns",
        "https://re view.example/",
        "https://review.example:port/",
        "https://review.example:99999/",
        "https://[::1/",
        "https://review.example/patterns?x=1",
        "https://review.example/#patterns",
        "https://review.example/a//b/",
        "https://review.example/a/../b/",
        "https://review.example/./",
        "https://review.example/a b/",
        "https://review.example/a%2Fb/",
        "https://review.example/<script>/",
        "https://review.example/api/",
        "https://review.example/livez",
        "https://review.example/metrics/x/",
    ],
)
def test_what_cannot_be_a_public_url_is_refused_by_its_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like|may hold|choose another") as caught:
        PublicUrl.parse(text)
    path = "/" + text.partition("://")[2].partition("/")[2]
    assert text in str(caught.value) or path in str(caught.value)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="leave them out") as caught:
        PublicUrl.parse("https://ann:s3cr3t@review.example/")
    assert "s3cr3t" not in str(caught.value)
