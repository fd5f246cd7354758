"""The rules on the headers of a request."""

from __future__ import annotations

import pytest

from HNTargetSegLib.web.access_rules import from_own_page, host_allowed, is_loopback, same_origin, same_secret


@pytest.mark.parametrize("header", ["127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:8080", "127.0.0.1"])
def test_the_machine_itself_may_always_be_named(header):
    assert host_allowed(header, (), any_address=False)


@pytest.mark.parametrize("header", [None, "", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"])
def test_a_strangers_name_is_refused(header):
    assert not host_allowed(header, ("scanner-pc",), any_address=True)


@pytest.mark.parametrize("header", ["[::1", "a:b:c", "127.0.0.1:x@evil.example"])
def test_a_host_that_is_none_is_refused(header):
    assert not host_allowed(header, (), any_address=True)


def test_an_address_of_the_network_is_fine_only_when_the_page_is_on_the_network():
    assert host_allowed("192.168.1.7:8080", (), any_address=True)
    assert not host_allowed("192.168.1.7:8080", (), any_address=False)


def test_a_name_that_was_given_is_fine_in_any_case_of_letters():
    assert host_allowed("Review.Clinic.example:443", ("review.clinic.EXAMPLE",), any_address=False)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:9999",
        "file://127.0.0.1:8080",
        "http://127.0.0.1:8080.evil.example",
        "http://[bad",
    ],
)
def test_a_foreign_origin_is_not_the_same(origin):
    assert not same_origin(origin, "127.0.0.1:8080")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "https://127.0.0.1:8080"])
def test_the_address_of_the_request_is_the_same_origin(origin):
    assert same_origin(origin, "127.0.0.1:8080")


def test_requests_of_other_sites_and_ports_are_told_from_the_pages_own():
    assert [from_own_page(site) for site in (None, "same-origin", "none", "same-site", "cross-site")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_only_the_whole_secret_is_the_secret():
    assert same_secret("abc", "abc")
    assert not any(same_secret(given, "abc") for given in (None, "", "ab", "abcd", "äbc", "ABC", "\ud800"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_loopback_address_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.7", "scanner-pc"])
def test_an_address_that_others_reach_is_no_loopback(host):
    assert not is_loopback(host)
