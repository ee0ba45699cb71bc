"""The chat format that most tests use."""

import pytest

from pipelines.tokens.template import ChatFormat, chat_format
from tests.tokens.tokenizers import byte_tokenizer


@pytest.fixture(scope="session")
def chat() -> ChatFormat:
    return chat_format(byte_tokenizer())
