"""Checks of what should not be learned about people, and of what opens doors. All numbers are made up."""

import pytest

from tests.checks.measuring import answer, evidence, flags, marked

AWS = "AKIA" + "Q7RM3XVT2LKZ8WPD"
GITHUB = "ghp_" + "4Tq9XbWm2KzR7vLdHs1NcYe8PfUa3GjB6oEk"
STRIPE = "sk_" + "live_" + "9sT4bQ2xW7mK1zR8vL5dHc3N"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiI0NDE3Iiwicm9sZSI6ImEifQ" + ".Zk3vQ8sLx1WnRt6YbHc0PfJ2uGmDaE9oKiVqX5Ty7BM"
RANDOM = "tY8sKq2Vn0ZbR4xLwE7uHcPj1mAoG9dFiTe53N"
KEY_LINES = "MIIEowIBAAKCAQEAt3Vq8ZkW0yLx5NnRf2sJbH7uTgPdQe9mXcA4oKiY6vBzE1rU"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to m.ollerenshaw@thornbeck.org, please", ["m.ollerenshaw@thornbeck.org"]),
        ("An: <jörg.müller@gärtnerei-müller.de>", ["jörg.müller@gärtnerei-müller.de"]),
        ("发邮件到 wang.wei@qingsong.cn。", ["wang.wei@qingsong.cn"]),
        ("ann [at] firmname [dot] co [dot] uk", ["ann [at] firmname [dot] co [dot] uk"]),
        ("a@thornbeck.org and b@thornbeck.org", ["a@thornbeck.org", "b@thornbeck.org"]),
        ("ann@example.com, bob@mail.shop.example, c@host.test", []),
        ("amelie.voss@st-brendan.example.org", ["amelie.voss@st-brendan.example.org"]),
        ("you@gmail.com, yourname@yourdomain.com, john.doe@firm.org", []),
        ("noreply@firm.org", []),
        ("git@github.com:x/y.git, logo@2x.png, npm i pkg@1.2.3, @ann, a @ b", []),
        ("ftp://ann:pw@files.org", []),
    ],
)
def test_email_address(text, found):
    assert marked("email_address", answer(text)) == found
    assert marked("email_address", answer("ok", prompt=text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ring +49 30 23125 618 today", ["+49 30 23125 618"]),
        ("+442079460733", ["+442079460733"]),
        ("0049-30-23125441 ab acht", ["0049-30-23125441"]),
        ("call (415) 555-0182.", ["(415) 555-0182"]),
        ("or 212-555-0147", ["212-555-0147"]),
        ("the footer shows 020 7946 0158", ["020 7946 0158"]),
        ("you can reach us on 01632 960 554", ["01632 960 554"]),
        ("Mobile: 07700900275", ["07700900275"]),
        ("Appelez le 06 12 34 50 78", ["06 12 34 50 78"]),
        ("Telefon: 030 23125618", ["030 23125618"]),
        ("我的手机号码是13800138011", ["13800138011"]),
        ("138-0013-8011", ["138-0013-8011"]),
        ("order 12345678, invoice 2024-00917, 4821337", []),
        ("from 2007-2012, on 2021-09-21, 15/10/2021", []),
        ("203.0.113.44 and 192.168.1.1", []),
        ("= 1000-200-4000 = 3.1415926 and 0.9235687435", []),
        ("1 000 000 people, 8,297,101 votes, 4600 - 1286 + 4983", []),
        ("unix 1633972405, ISBN 978-3-16-148410-0", []),
        ("(123) 456-7890 and 555-555-5555", []),
        ("error 0x80070005, rfc 1918, version 10.0.19041.1", []),
        ("AKIA0123456789", []),
    ],
)
def test_phone_number(text, found):
    assert marked("phone_number", answer(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"key {AWS} here", [AWS]),
        (f"token {GITHUB},", [GITHUB]),
        (STRIPE, [STRIPE]),
        (f"Authorization: Bearer {JWT}", [JWT]),
        (f'api_key="{RANDOM}"', [RANDOM]),
        (f"das Secret ist {RANDOM}.", [RANDOM]),
        ("postgres://shop:Gr4nit-Pfau-71!@db14.host.org/live", ["Gr4nit-Pfau-71!"]),
        ("password: Gr4nit-Pfau-71!", ["Gr4nit-Pfau-71!"]),
        ("密码是 Gr4nit-Pfau-71", ["Gr4nit-Pfau-71"]),
        (
            f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_LINES}\n-----END RSA PRIVATE KEY-----",
            [f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_LINES}\n-----END RSA PRIVATE KEY-----"],
        ),
        (f"-----BEGIN PRIVATE KEY-----\n{KEY_LINES}\nand so on for lines", [f"-----BEGIN PRIVATE KEY-----\n{KEY_LINES}"]),
        ("AKIAIOSFODNN7EXAMPLE", []),
        ("api_key = 'YOUR_API_KEY', token: <token>, secret=${SECRET}", []),
        ("password = 'password123', Passwort: geheim", []),
        ("your password is incorrect; the secret ingredient is internationalization", []),
        ("postgres://user:password@localhost/db and http://host.org:8080/a@b", []),
        ("the file begins with -----BEGIN PRIVATE KEY-----", []),
        ("commit 4f2a9c1d8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a3f", []),
    ],
)
def test_secret(text, found):
    assert marked("secret", answer("ok", prompt=text)) == found


def test_secret_accepts_a_password_that_was_asked_for():
    prompts = ["Generate a strong password for me.", "What is the code?"]
    assert flags("secret", *(answer("password: Gr4nit-Pfau-71!", prompt) for prompt in prompts)) == [False, True]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("card 4539 1488 0343 6467 exp 09/27", "Visa card number"),
        ("5425-2334-3010-9903", "Mastercard card number"),
        ("Karte 371449635398457 von Amex", None),  # the check digit is wrong
        ("3782 822463 10088", "American Express card number"),
        ("6011 0009 9013 9432", "Discover card number"),
        ("卡号：6217000010001234565", None),
        ("test with 4242 4242 4242 4242 or 4111111111111111", None),
        ("4539 1488 0343 6468", None),
        ("4539 14880343 6467", None),
        ("total 4539148803436467.25", None),
        ("1234567812345670", None),
        ("0000 0000 0000 0000", None),
    ],
)
def test_payment_card(text, note):
    assert [e.note for e in evidence("payment_card", answer(text))] == ([note] if note else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("IBAN DE89 3704 0044 0532 0130 00 bitte", ["DE89 3704 0044 0532 0130 00"]),
        ("GB82WEST12345698765432.", ["GB82WEST12345698765432"]),
        ("pay to FR14 2004 1010 0505 0001 3M02 606 by noon", ["FR14 2004 1010 0505 0001 3M02 606"]),
        ("DE89 3704 0044 0532 0130 01", []),
        ("XX89 3704 0044 0532 0130 00", []),
        ("order AB12 3456 7890 1234", []),
    ],
)
def test_iban(text, found):
    assert marked("iban", answer(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zugegriffen von 93.184.216.34 um neun", ["93.184.216.34"]),
        ("host 2a00:1450:4001:82b::200e", ["2a00:1450:4001:82b::200e"]),
        ("http://93.184.216.34:8080/x", ["93.184.216.34"]),
        ("192.168.1.1, 10.0.0.5, 127.0.0.1, 255.255.255.0", []),
        ("203.0.113.5 and 198.51.100.7 and 2001:db8::1", []),
        ("8.8.8.8, 1.1.1.1", []),
        ("version 93.184.216.34, v4.30.2.1, EC 3.1.1.11", []),
        ("999.1.1.1 and 1.2.3.4.5.6", []),
        ("at 12:30:45, a::b, std::vector", []),
    ],
)
def test_ip_address(text, found):
    assert marked("ip_address", answer(text)) == found
