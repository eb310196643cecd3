"""How many requests an admin may send in a minute."""

import pytest
from synapse_module_bridge.admin.rate_limits import MOST_ADMINS, RateLimit
from synapse_module_bridge.admin.refused import Refused


class Time:
    seconds = 100.0

    def now(self) -> float:
        return self.seconds


def test_too_many_requests_are_refused_until_some_time_has_passed() -> None:
    time = Time()
    limit = RateLimit(30, time.now)
    for _ in range(30):
        limit.count("@a:x")
    with pytest.raises(Refused) as refused:
        limit.count("@a:x")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "2"})
    assert refused.value.body["retry_after_ms"] == 2_000
    limit.count("@b:x")
    time.seconds += 2
    limit.count("@a:x")
    with pytest.raises(Refused):
        limit.count("@a:x")
    time.seconds += 3_600
    for _ in range(30):
        limit.count("@a:x")
    with pytest.raises(Refused):
        limit.count("@a:x")


def test_refused_requests_do_not_count() -> None:
    time = Time()
    limit = RateLimit(1, time.now)
    limit.count("@a:x")
    for _ in range(59):
        time.seconds += 1
        with pytest.raises(Refused):
            limit.count("@a:x")
    time.seconds += 1.1
    limit.count("@a:x")


def test_it_remembers_no_more_admins_than_there_are() -> None:
    limit = RateLimit(1, Time().now)
    for number in range(MOST_ADMINS + 5):
        limit.count(f"@{number}:x")
    limit.count("@0:x")
    with pytest.raises(Refused):
        limit.count(f"@{MOST_ADMINS + 4}:x")
