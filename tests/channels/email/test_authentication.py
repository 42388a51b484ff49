"""Only our own server's word on the sender counts, and only for the domain of From."""

from __future__ import annotations

from email import message_from_string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminder.channels.email.authentication import (
    UNNAMED,
    Person,
    Result,
    distrust,
    own_results,
    parsed,
    person,
    results_of,
)

OURS, AN = "mx.xa.example", "an@xa.example"
NONE_OF_OURS = "no Authentication-Results of our own server"
NOTHING = "our server found nothing that proves the sender's domain"
GENUINE = f"{OURS}; dmarc=pass (p=reject) header.from=xa.example"
FAILED = f"{OURS}; dmarc=fail header.from=xa.example; dkim=pass header.d=xa.example"


@pytest.mark.parametrize(
    "field",
    [
        GENUINE,
        f"{OURS}; dmarc=pass",
        f"{OURS} 1; spf=fail smtp.mailfrom=x.example; dkim=pass header.d=xa.example",
        f'{OURS.upper()};\n dkim=pass (good (2048) "a;b") reason="ok; ok" header.i=@xa.example',
        f"{OURS}; dkim=fail header.d=khac.example; dkim=pass header.d=xa.example",
        f"{OURS}; spf=pass smtp.mailfrom=bounce@xa.example",
        f"{OURS}; auth=pass smtp.auth={AN} smtp.mailfrom={AN}",
        f'"{OURS}"; DKIM/1 = PASS header.d = "XA.example"',
    ],
)
def test_our_server_proves_the_sender(field: str) -> None:
    """DMARC, or an aligned DKIM or SPF, in all the ways in which servers write it."""
    assert distrust(own_results([field], OURS), AN) == ""
    older = field.lower().replace("pass", "fail")
    assert distrust(own_results([field, older], OURS), AN.upper()) == ""


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([], NONE_OF_OURS),
        (["evil.example; dmarc=pass header.from=xa.example"], NONE_OF_OURS),
        ([f"evil.example ({OURS}); dmarc=pass header.from=xa.example"], NONE_OF_OURS),
        ([f"{OURS}.evil.example; dmarc=pass"], NONE_OF_OURS),
        ([f"evil.example; x=\"; {OURS}; dmarc=pass\""], NONE_OF_OURS),
        ([FAILED, GENUINE], "our server says dmarc=fail"),
        (["evil.example; dmarc=pass", f"{OURS}; none"], NOTHING),
        ([f"{OURS}; spf=none", "evil.example; x=y", GENUINE], NOTHING),
        ([f"{OURS}; spf=none", f"{OURS}; spf=pass smtp.mailfrom={AN}", GENUINE], NOTHING),
        ([f"{OURS}; dmarc=pass header.from=evil.example"], NOTHING),
        ([f"{OURS}; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=a@evil.vn"], NOTHING),
        ([f"{OURS}; dkim=pass header.d=axa.example"], NOTHING),
        ([f"{OURS}; dkim=pass header.d=evil.xa.example"], NOTHING),
        ([f"{OURS}; dkim=pass header.d=example"], NOTHING),
        ([f"{OURS}; dkim=pass header.d=evil.vn header.i=@xa.example"], NOTHING),
        ([f"{OURS}; spf=pass smtp.helo=xa.example"], NOTHING),
        ([f"{OURS}; dkim=pass"], NOTHING),
        ([f"{OURS}; auth=pass smtp.auth=binh@xa.example smtp.mailfrom={AN}"], NOTHING),
        ([f"{OURS}; dkim=neutral (dmarc=pass) header.d=xa.example"], NOTHING),
        ([f"{OURS}; dkim=pass header.d=xa.example dmarc"], NOTHING),
    ],
)  # fmt: skip
def test_whatever_else_is_no_proof(fields: list[str], why: str) -> None:
    """Foreign hosts, forged fields below ours, other domains, comments, broken clauses."""
    assert distrust(own_results(fields, OURS), AN) == why


FORGERIES = [f"; auth=pass smtp.auth={AN}; ", "; dmarc=pass header.from=xa.example; "]


@given(
    st.lists(st.sampled_from([*FORGERIES, "(", ")", " ", "\\\\", '\\"', "a" * 100]), max_size=12)
)
@example(["a" * 501, *FORGERIES])
@example(["a" * 9000, *FORGERIES])
def test_nothing_counts_that_a_sender_writes_between_quotes(written: list[str]) -> None:
    """Our server tells the envelope's sender, whose part before @ may hold anything."""
    field = f'{OURS}; spf=pass smtp.mailfrom="{"".join(written)}"@evil.vn'
    assert distrust(own_results([field], OURS), AN) == NOTHING
    assert person(own_results([field], OURS), AN, "xa.example") is Person.UNKNOWN


@pytest.mark.parametrize(
    "fields",
    [
        [GENUINE, f"{OURS}; dkim=none", f"{OURS}; spf=none"],
        [f"{OURS}; spf=none", f"{OURS}; dkim=none", GENUINE],
        [f"{OURS}; spf=softfail", f"{OURS}; dkim=pass header.d=xa.example", "evil.example; none"],
    ],
)
def test_each_milter_writes_a_field_of_its_own(fields: list[str]) -> None:
    """The run of our server's fields at the top is read as one."""
    assert distrust(own_results(fields, OURS), AN) == ""


def test_a_field_below_the_first_received_is_older() -> None:
    """Whatever stands there, another host let it in."""
    head = f"Authentication-Results: {OURS}; spf=none\nReceived: from x by y; z\n"
    message = message_from_string(f"{head}Authentication-Results: {GENUINE}\n\nx")
    assert results_of(message) == (f"{OURS}; spf=none",)


MICROSOFT = (
    "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=xa.example; dkim=pass (signature was verified)"
    " header.d=xa.example;dmarc=pass action=none header.from=xa.example;compauth=pass reason=100"
)


def test_microsoft_365_names_no_server() -> None:
    """Its field is believed where “-” is set, and only as the topmost."""
    assert distrust(own_results([MICROSOFT], UNNAMED), AN) == ""
    assert distrust(own_results([MICROSOFT, "evil.example; none"], UNNAMED), AN) == ""
    assert distrust(own_results(["evil.example; none", MICROSOFT], UNNAMED), AN) == NONE_OF_OURS
    assert distrust(own_results([MICROSOFT], OURS), AN) == NONE_OF_OURS
    failed = MICROSOFT.replace("dmarc=pass", "dmarc=fail")
    assert distrust(own_results([failed], UNNAMED), AN) == "our server says dmarc=fail"


def test_a_field_is_taken_apart() -> None:
    """Id, methods, results and properties, without comments."""
    field = f"{OURS} 1; spf=pass (a) smtp.mailfrom=an@xa.example; none; dkim=temperror"
    assert parsed(field) == (
        OURS,
        (
            Result("spf", "pass", (("smtp.mailfrom", AN),)),
            Result("dkim", "temperror"),
        ),
    )


@given(st.text(max_size=300) | st.text('();="\\ \n\tpass dkim.', max_size=60))
def test_any_text_is_parsed_and_none_invents_trust(text: str) -> None:
    """Never raises; without our id it proves nothing."""
    parsed(text)
    if OURS not in text.lower():
        assert distrust(own_results([text], OURS), AN) != ""


def test_a_login_without_a_domain_is_of_the_servers_own() -> None:
    """“an” at our server is not an@ of another domain that lets the mail through."""
    for author, found in ((AN, Person.PROVED), ("an@mail.example", Person.OTHER)):
        assert (
            person(own_results([f"{OURS}; auth=pass smtp.auth=an"], OURS), author, "xa.example")
            is found
        )
