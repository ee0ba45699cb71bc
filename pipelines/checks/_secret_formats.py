"""Secret formats: keys and tokens that their makers gave a form of their own."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator

SIGNS = (
    r"A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA|gh[pousr]_|github_pat_|gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-|GR1348941|xox[abposr]-"
    r"|hooks\.slack|[rs]k_live_|T3BlbkFJ|pypi-Ag|SG\.|sq0csp-|AccountKey=|\d{8,10}:[0-9A-Za-z_-]{35}|eyJ|PRIVATE KEY|-us\d"
    r"|AIza|sk-|hf_|npm_|dop_v1_|SK[0-9a-f]{32}"
)
"""RE2: one of these stands in every secret of a known form."""
_OTHERS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?P<Google>AIza[0-9A-Za-z_-]{35})|(?P<Anthropic>sk-ant-[0-9A-Za-z_-]{20,})|(?P<OpenAI>sk-(?:proj-|svcacct-)?[0-9A-Za-z_-]{32,})"
    r"|(?P<HuggingFace>hf_[0-9A-Za-z]{30,})|(?P<npm>npm_[0-9A-Za-z]{36})|(?P<GitHub>github_pat_[0-9A-Za-z_]{40,})"
    r"|(?P<DigitalOcean>dop_v1_[0-9a-f]{64})|(?P<Twilio>SK[0-9a-f]{32})"
    r")(?![A-Za-z0-9])"
)
"""Forms that detect-secrets 1.5 does not know, knows only in an old version, or looks for in quadratic time."""
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:(?:\\n|[A-Za-z0-9+/=:,\s]){40,})"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?"
)
_STAND_IN = re.compile(r"EXAMPLE|xxxx|\*\*|\.\.\.|[<>{}]|1234567|abcdef|your", re.IGNORECASE)


def known_secrets(content: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and kind of each secret of a known form, stand-ins such as AKIAIOSFODNN7EXAMPLE left out."""
    for kind, pattern, is_valid in _detectors():
        for match in pattern.finditer(content):
            if not _continues(content, match.start()) and not _STAND_IN.search(match.group()) and is_valid(match.group()):
                yield (*match.span(), kind)
    for match in _OTHERS.finditer(content):
        if not _STAND_IN.search(match.group()) and len(set(match.group())) > 10:
            yield (*match.span(), f"{match.lastgroup} key")
    for match in _PRIVATE_KEY.finditer(content):
        yield (match.start(), match.start() + len(_key_lines(match.group())), "private key")


def _key_lines(text: str) -> str:
    """A private key without the words that follow it when its end is missing."""
    if text.endswith("-----"):
        return text
    prose = re.search(r"\n(?=[^\n]*[a-z] [a-z])", text)
    return (text[: prose.start()] if prose else text).rstrip()


def _continues(content: str, start: int) -> bool:
    """Whether a match begins in the middle of a longer word, such as a picture in base64."""
    return start > 0 and content[start].isalnum() and content[start - 1].isascii() and content[start - 1].isalnum()


@functools.cache
def _detectors() -> tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]:
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector

    formal = (
        AWSKeyDetector, AzureStorageKeyDetector, GitHubTokenDetector, GitLabTokenDetector, MailchimpDetector,
        PypiTokenDetector, SendGridDetector, SlackDetector, SquareOAuthDetector, StripeDetector, TelegramBotTokenDetector,
    )  # fmt: skip
    known = [(detector.secret_type, pattern, _always) for detector in formal for pattern in detector.denylist]
    return (*known, (JwtTokenDetector.secret_type, _JWT, JwtTokenDetector.is_formally_valid))


def _always(_: str) -> bool:
    return True
