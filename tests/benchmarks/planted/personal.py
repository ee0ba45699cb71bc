"""Personal data and secrets to plant, made up and valid."""

from __future__ import annotations

import random
import string

from tests.benchmarks.planted.rows import random_digits, with_luhn_digit

_FIRST = ("Anna", "Jonas", "Priya", "Miguel", "Chloé", "Tomasz", "Fatima", "Lars", "Giulia", "Wei", "Nkechi", "Sven")
_LAST = ("Keller", "Moreau", "Okafor", "Rossi", "Novak", "Iyer", "Lindqvist", "Garcia", "O'Brien", "Tanaka", "Schmidt", "Peeters")


def email(choose: random.Random) -> str:
    first, last = choose.choice(_FIRST).lower().replace("é", "e"), choose.choice(_LAST).lower().replace("'", "")
    name = choose.choice((f"{first}.{last}", f"{first[0]}{last}", f"{last}_{first}", f"{first}{choose.randint(60, 99)}"))
    host = choose.choice(("gmx.de", "outlook.com", "stadtwerke-lueneburg.de", "bbc.co.uk", "uni-graz.at", "orange.fr", "hotmail.com"))
    return choose.choice((f"You can reach her at {name}@{host}.", f"Contact: {name}@{host}", f"({name.upper()}@{host.upper()})"))


def phone(choose: random.Random) -> str:
    import phonenumbers

    region = choose.choice(("US", "DE", "FR", "GB", "CH", "ES", "IT", "NL", "PL", "IN"))
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.FIXED_LINE)
    while True:  # the last digits of the example are nobody's
        known = phonenumbers.national_significant_number(number)[:-4]
        other = phonenumbers.parse(f"+{number.country_code}{known}{random_digits(choose, 4)}")
        if phonenumbers.is_valid_number(other):
            break
    form = choose.choice((phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164))
    return choose.choice(("Call {} after six.", "My mobile is {}.", "Tel. {}")).format(phonenumbers.format_number(other, form))


def card(choose: random.Random) -> str:
    number = with_luhn_digit(choose.choice(("4", "51", "53", "2221")).ljust(4, "7") + random_digits(choose, 11))
    spaced = " ".join(number[i : i + 4] for i in range(0, 16, 4))
    return f"I paid with {choose.choice((number, spaced, spaced.replace(' ', '-')))}."


def iban(choose: random.Random) -> str:
    from stdnum import iban

    country, length = choose.choice((("DE", 18), ("AT", 16), ("BE", 12), ("CH", 17), ("ES", 20), ("FR", 23), ("PL", 24)))
    while True:
        bban = random_digits(choose, length)
        number = country + iban.calc_check_digits(f"{country}00{bban}") + bban
        if iban.is_valid(number):
            break
    spaced = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    return f"Please transfer it to {choose.choice((number, spaced))}, thank you."


def national_id(choose: random.Random) -> str:
    from stdnum.es import dni
    from stdnum.fr import nir
    from stdnum.it import codicefiscale
    from stdnum.nl import bsn
    from stdnum.us import ssn

    kind, module, length = choose.choice((("SSN", ssn, 9), ("DNI", dni, 8), ("BSN", bsn, 9), ("NIR", nir, 15), ("CF", codicefiscale, 0)))
    while True:
        if kind == "DNI":
            number = random_digits(choose, 8)
            number += dni.calc_check_digit(number)
        elif kind == "NIR":
            number = (
                f"{choose.choice('12')}{choose.randint(40, 99)}{choose.randint(1, 12):02}{choose.randint(10, 95)}{random_digits(choose, 6)}"
            )
            number += nir.calc_check_digits(number)
        elif kind == "CF":
            letters = "".join(choose.choices("BCDFGLMNPRST", k=6))
            number = f"{letters}{choose.randint(40, 99)}{choose.choice('ABCDEHLMPRST')}{choose.randint(1, 28):02}H501"
            number += codicefiscale.calc_check_digit(number)
        else:
            number = random_digits(choose, length)
        if module.is_valid(number):
            break
    said = {
        "SSN": "Social Security number",
        "DNI": "DNI",
        "BSN": "burgerservicenummer (BSN)",
        "NIR": "numéro de sécurité sociale",
        "CF": "codice fiscale",
    }
    shown = f"{number[:3]}-{number[3:5]}-{number[5:]}" if kind == "SSN" else number
    return choose.choice(("Her {} is {}.", "{}: {}", "My {}, {}, is on the form.")).format(said[kind], shown)


def ip_address(choose: random.Random) -> str:
    four = f"{choose.choice((34, 52, 81, 91, 142, 185))}.{choose.randint(1, 250)}.{choose.randint(1, 250)}.{choose.randint(1, 250)}"
    six = f"2a02:8109:{choose.randint(0x1000, 0xFFFF):x}:{choose.randint(0x1000, 0xFFFF):x}::{choose.randint(1, 0xFFF):x}"
    return choose.choice(("The login came from {}.", "Blocked {} yesterday.", "Host: {}")).format(choose.choice((four, four, six)))


def address(choose: random.Random) -> str:
    number = choose.randint(2, 180)
    return choose.choice(
        (
            f"She lives at {number * 7} {choose.choice(('Maple', 'Cedar', 'Lincoln', 'Lakeview'))} {choose.choice(('Street', 'Ave', 'Drive'))}, Dayton, OH 454{choose.randint(10, 39)}.",
            f"Send it to {choose.choice(('Lindenstraße', 'Bergweg', 'Am Markt', 'Schulstr.'))} {number}, {choose.randint(10115, 99974)} {choose.choice(('Berlin', 'Jena', 'Köln', 'Fulda'))}.",
            f"Our flat is {number} {choose.choice(('Station Road', 'High Street', 'Church Lane'))}, Leeds LS{choose.randint(1, 9)} {choose.randint(1, 9)}AB.",
            f"Adresse : {number} rue {choose.choice(('de la République', 'Victor Hugo', 'des Lilas'))}, 690{choose.randint(1, 9):02} Lyon",
            f"{choose.choice(('Kerkstraat', 'Dorpsweg', 'Prinsengracht'))} {number}, {choose.randint(1011, 9999)} AB Utrecht",
            f"Via {choose.choice(('Garibaldi', 'Roma', 'Dante'))} {number}, {choose.randint(10100, 50199)} Firenze",
        )
    )  # fmt: skip


def secret(choose: random.Random) -> str:
    letters = string.ascii_letters + string.digits
    drawn = lambda count, alphabet=letters: "".join(choose.choices(alphabet, k=count))  # noqa: E731 - short, and used here alone
    return choose.choice(
        (
            f"Set AWS_ACCESS_KEY_ID to AKIA{drawn(16, string.ascii_uppercase + '234567')} first.",
            f"token: ghp_{drawn(36)}", f"Use sk-proj-{drawn(48)} for the call.", f"xoxb-{random_digits(choose, 12)}-{random_digits(choose, 12)}-{drawn(24)}",
            f"postgres://admin:{drawn(14)}@db.harbour.internal:5432/crm", f'password = "{drawn(8)}!{random_digits(choose, 4)}#"',
            f"Authorization: Bearer {drawn(40)}", f"AIza{drawn(35)}", f"sk_live_{drawn(24)}",
        )
    )  # fmt: skip
