"""A database URL taken apart, and a form of it that can be shown."""

import traceback

import pytest

from pattern_sync import InvalidSettings
from pattern_sync.database.address import DatabaseAddress

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u@db/work", (("db", 5432),)),
        ("postgres://u@db:6432/work", (("db", 6432),)),
        ("postgresql://u@one,two:6000/work", (("one", 5432), ("two", 6000))),
        ("postgresql://u@one:1,two:2,three:3/work", (("one", 1), ("two", 2), ("three", 3))),
        ("postgresql://u@[::1]:6000/work", (("::1", 6000),)),
        ("postgresql://u@[2001:db8::1]/work", (("2001:db8::1", 5432),)),
        ("postgresql:///work?host=/run/postgresql", (("/run/postgresql", 5432),)),
        ("postgresql://u@/work?host=one,two&port=6000", (("one", 6000), ("two", 6000))),
        ("postgresql:///work", (("localhost", 5432),)),
        ("postgresql://u@/work?hostaddr=10.0.0.1", (("10.0.0.1", 5432),)),
    ],
)
def test_the_hosts_come_one_by_one(url: str, hosts: tuple[tuple[str, int], ...]) -> None:
    assert DatabaseAddress.parse(url).hosts == hosts


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@db/work",
        f"postgresql://db/work?user=ann&password={SECRET}",
        f"postgresql://ann:{SECRET}@one,two/work?sslpassword={SECRET}",
    ],
)
def test_the_password_is_in_no_form_of_an_address(url: str) -> None:
    address = DatabaseAddress.parse(url)
    assert SECRET in address.url
    assert SECRET not in f"{address} {address!r}"
    assert "ann@" in str(address)


def test_an_address_reads_like_a_url() -> None:
    assert str(DatabaseAddress.parse("postgresql://ann:x@one,two:6000/work")) == (
        "postgresql://ann@one:5432,two:6000/work"
    )
    assert str(DatabaseAddress.parse("postgresql://[::1]/work")) == "postgresql://[::1]:5432/work"


def test_the_database_is_named_after_the_user_where_none_is_given() -> None:
    assert DatabaseAddress.parse("postgresql://ann@db").database == "ann"


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"mysql://ann:{SECRET}@db/work",
        f"postgresql//ann:{SECRET}@db/work",
        f"postgresql://ann:{SECRET}%zz@db/work",
        f"postgresql://ann:{SECRET}@db:port/work",
        f"postgresql://ann:{SECRET}@[::1/work",
        f"postgresql://ann:{SECRET}℀@db/work",
        f"postgresql://ann:{SECRET}@db/work?nonsense={SECRET}",
    ],
)
def test_nonsense_is_refused_without_the_password_even_in_the_traceback(url: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        DatabaseAddress.parse(url)
    assert "PATTERN_SYNC_DATABASE_URL" in str(refusal.value)
    assert "postgresql://user:password@host:5432/database" in str(refusal.value)
    shown = "".join(traceback.format_exception(refusal.value, limit=0))
    assert SECRET not in shown
