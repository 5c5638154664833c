from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from workers.summary.protocols import certificate

KEY = ec.generate_private_key(ec.SECP256R1())
BEGINS, EXPIRES = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def name(**parts: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(getattr(NameOID, kind), value) for kind, value in parts.items()])


def der(
    subject: x509.Name,
    issuer: x509.Name,
    *,
    names: tuple[str, ...] = (),
    begins: datetime = BEGINS,
    expires: datetime = EXPIRES,
) -> bytes:
    builder = x509.CertificateBuilder(issuer, subject, KEY.public_key(), 7, begins, expires)
    if names:
        listed = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(listed, critical=False)
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    built = builder.add_extension(constraints, critical=True).sign(KEY, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.DER)


PLAIN = der(
    name(COMMON_NAME="cheddar"),
    name(ORGANIZATION_NAME="Cheese", COMMON_NAME="Cheese CA"),
    names=("cheddar.shop", "*.shop"),
)


def test_names_issuer_and_validity_are_read() -> None:
    told = certificate.read(PLAIN)
    assert told is not None
    assert (told.names, told.issuer) == (("cheddar.shop", "*.shop"), "Cheese CA")
    assert (told.begins, told.expires) == (BEGINS.timestamp(), EXPIRES.timestamp())


def test_the_common_name_counts_without_other_names_and_of_an_issuer_else_the_organisation() -> None:
    told = certificate.read(der(name(COMMON_NAME="cheddar"), name(ORGANIZATION_NAME="Cheese")))
    assert told is not None
    assert (told.names, told.issuer) == (("cheddar",), "Cheese")
    nameless = certificate.read(der(x509.Name([]), x509.Name([])))
    assert nameless is not None
    assert (nameless.names, nameless.issuer) == ((), "")


@pytest.mark.parametrize("year", [1951, 1999, 2049, 2050, 2130])
def test_a_year_of_either_form_is_read(year: int) -> None:
    begins = datetime(year, 6, 1, tzinfo=UTC)
    told = certificate.read(
        der(name(COMMON_NAME="a"), name(COMMON_NAME="b"), begins=begins, expires=begins + timedelta(days=1))
    )
    assert told is not None
    assert (told.begins, told.expires - told.begins) == (begins.timestamp(), 86_400)


def test_at_most_twenty_names_are_kept() -> None:
    told = certificate.read(der(x509.Name([]), x509.Name([]), names=tuple(f"n{each}" for each in range(30))))
    assert told is not None
    assert told.names == tuple(f"n{each}" for each in range(20))


@given(st.integers(0, len(PLAIN) - 1), st.binary(max_size=4), st.integers(0, 6))
def test_a_damaged_certificate_is_read_within_bounds_or_not_at_all(at: int, more: bytes, less: int) -> None:
    told = certificate.read(PLAIN[:at] + more + PLAIN[at + less :])
    assert told is None or (len(told.names) <= 20 and all(len(each) <= 255 for each in told.names))


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    certificate.read(data)
    assert certificate.read(PLAIN[: -1 - len(data)]) is None
