from hypothesis import given
from hypothesis import strategies as st

from pipelines.training.batches import EpochSampler, epoch_order, padded_tokens

lengths = st.lists(st.integers(1, 500), min_size=1, max_size=200)


@given(lengths, st.integers(1, 16), st.integers(0, 5), st.integers(0, 5))
def test_an_epoch_meets_every_row_once_and_can_be_repeated(lengths, batch_size, seed, epoch):
    order = epoch_order(lengths, batch_size, seed=seed, epoch=epoch)
    assert sorted(order) == list(range(len(lengths)))
    assert order == epoch_order(lengths, batch_size, seed=seed, epoch=epoch)


def test_rows_of_like_length_share_a_batch():
    lengths = [10, 500] * 64
    order = epoch_order(lengths, 4, seed=0, epoch=0)
    assert sum(padded_tokens(lengths, order, 4)) < 1.1 * sum(lengths)
    assert sum(padded_tokens(lengths, range(128), 4)) == 500 * 128  # nearly twice as much


def test_epochs_differ_and_short_batches_are_not_all_first():
    lengths = list(range(1, 129))
    first, second = (epoch_order(lengths, 4, seed=0, epoch=epoch) for epoch in (0, 1))
    assert first != second
    assert first != sorted(first)


def test_the_sampler_follows_the_epoch():
    sampler = EpochSampler([3, 1, 2] * 10, batch_size=4, seed=7)
    assert list(sampler) == epoch_order([3, 1, 2] * 10, 4, seed=7, epoch=0)
    sampler.set_epoch(1)
    assert list(sampler) == epoch_order([3, 1, 2] * 10, 4, seed=7, epoch=1)
    assert len(sampler) == 30
