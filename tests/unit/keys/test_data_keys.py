from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.crypto.envelope import Binding, DataKey, seal, unseal
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.domain.ids import PersonId, RegistryId
from registry.keys.data_keys import CacheLimits, DataKeys
from registry.keys.erased import ErasedList
from registry.keys.ports import WrappedKey
from tests.fakes.keys import MemoryProvider

REGISTRY = RegistryId("a" * 32)
PERSON = PersonId("1" * 32)
OTHER = PersonId("2" * 32)
PLACE = Binding(REGISTRY, PERSON, "3" * 32, "school", 1)


class Seconds:
    """A monotonic clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> MemoryProvider:
    return MemoryProvider()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def keys(provider: MemoryProvider, seconds: Callable[[], float]) -> DataKeys:
    return DataKeys(provider, REGISTRY, limits=CacheLimits(max_keys=3, max_seconds=60), monotonic=seconds)


def unwraps(provider: MemoryProvider) -> int:
    return provider.calls.count("unwrap")


def same_key(left: DataKey, right: DataKey) -> bool:
    try:
        return unseal(right, seal(left, b"x", PLACE), PLACE) == b"x"
    except EnvelopeRejected:
        return False


def test_the_opened_key_is_the_made_one(keys: DataKeys) -> None:
    made, wrapped = keys.new_key(PERSON)
    assert same_key(made, keys.open_key(PERSON, wrapped))


def test_every_key_is_new(keys: DataKeys) -> None:
    first, second = keys.new_key(PERSON)[0], keys.new_key(PERSON)[0]
    assert not same_key(first, second)


def test_a_wrapped_key_is_one_persons_in_one_registry(keys: DataKeys, provider: MemoryProvider) -> None:
    _, wrapped = keys.new_key(PERSON)
    keys.open_key(PERSON, wrapped)
    with pytest.raises(EnvelopeRejected):
        keys.open_key(OTHER, wrapped)
    with pytest.raises(EnvelopeRejected):
        DataKeys(provider, RegistryId("b" * 32)).open_key(PERSON, wrapped)
    with pytest.raises(EnvelopeRejected):  # the boundary between registry and person cannot be moved
        DataKeys(provider, RegistryId(REGISTRY + PERSON[0])).open_key(PersonId(PERSON[1:]), wrapped)


def test_a_key_of_another_size_is_refused(keys: DataKeys, provider: MemoryProvider) -> None:
    wrapped = provider.wrap(keys._context(PERSON), bytes(64))
    with pytest.raises(EnvelopeRejected):
        keys.open_key(PERSON, wrapped)


def test_a_second_opening_asks_nobody(keys: DataKeys, provider: MemoryProvider) -> None:
    _, wrapped = keys.new_key(PERSON)
    assert keys.open_key(PERSON, wrapped) is keys.open_key(PERSON, WrappedKey(wrapped.key_id, bytes(wrapped.blob)))
    assert unwraps(provider) == 1


def test_a_cached_key_does_not_answer_for_other_bytes(keys: DataKeys) -> None:
    _, wrapped = keys.new_key(PERSON)
    keys.open_key(PERSON, wrapped)
    other = bytes([wrapped.blob[-1] ^ 1])
    with pytest.raises(EnvelopeRejected):
        keys.open_key(PERSON, WrappedKey(wrapped.key_id, wrapped.blob[:-1] + other))
    with pytest.raises(KeyUnavailable):
        keys.open_key(PERSON, WrappedKey("memory-0", wrapped.blob))
    newer, rewrapped = keys.new_key(PERSON)
    assert same_key(newer, keys.open_key(PERSON, rewrapped))


def test_making_does_not_fill_the_cache(keys: DataKeys, provider: MemoryProvider) -> None:
    _, wrapped = keys.new_key(PERSON)
    keys.open_key(PERSON, wrapped)
    for number in range(10):
        keys.new_key(PersonId(f"{number:032x}"))
    keys.open_key(PERSON, wrapped)
    assert unwraps(provider) == 1


def test_the_least_recently_used_key_goes_first(keys: DataKeys, provider: MemoryProvider) -> None:
    people = [PersonId(f"{number:032x}") for number in range(4)]
    wrapped = {person: keys.new_key(person)[1] for person in people}
    for person in (*people[:3], people[0], people[3]):  # people[1] is now the oldest, and out
        keys.open_key(person, wrapped[person])
    assert unwraps(provider) == 4
    assert list(keys._cache) == [people[2], people[0], people[3]]
    keys.open_key(people[1], wrapped[people[1]])
    assert unwraps(provider) == 5
    assert len(keys._cache) == 3


def test_a_key_is_kept_so_long_after_unwrapping_and_no_longer(
    keys: DataKeys, provider: MemoryProvider, seconds: Seconds
) -> None:
    """Use does not prolong it: a destroyed key-encryption key takes effect everywhere after that time."""
    _, wrapped = keys.new_key(PERSON)
    keys.open_key(PERSON, wrapped)
    for _ in range(5):
        seconds.now += 11.9
        keys.open_key(PERSON, wrapped)
    assert unwraps(provider) == 1
    seconds.now += 0.5
    provider.fail_next()
    with pytest.raises(KeyUnavailable):
        keys.open_key(PERSON, wrapped)


def test_a_forgotten_key_is_asked_for_again(keys: DataKeys, provider: MemoryProvider) -> None:
    wrapped = {person: keys.new_key(person)[1] for person in (PERSON, OTHER)}
    for person in (PERSON, OTHER):
        keys.open_key(person, wrapped[person])
    keys.forget(PERSON)
    keys.forget(PersonId("f" * 32))
    keys.open_key(OTHER, wrapped[OTHER])
    assert unwraps(provider) == 2
    keys.open_key(PERSON, wrapped[PERSON])
    assert unwraps(provider) == 3
    keys.forget_all()
    provider.fail_next(2)
    for person in (PERSON, OTHER):
        with pytest.raises(KeyUnavailable):
            keys.open_key(person, wrapped[person])


@pytest.mark.parametrize("how", ["forget", "forget_all"])
def test_a_key_forgotten_while_it_is_opened_is_not_kept(keys: DataKeys, provider: MemoryProvider, how: str) -> None:
    _, wrapped = keys.new_key(PERSON)
    provider.before_call = (lambda: keys.forget(PERSON)) if how == "forget" else keys.forget_all
    keys.open_key(PERSON, wrapped)
    provider.before_call = lambda: None
    keys.open_key(PERSON, wrapped)
    assert unwraps(provider) == 2


def test_a_failure_is_not_remembered(keys: DataKeys, provider: MemoryProvider) -> None:
    made, wrapped = keys.new_key(PERSON)
    provider.fail_next()
    with pytest.raises(KeyUnavailable):
        keys.open_key(PERSON, wrapped)
    assert same_key(made, keys.open_key(PERSON, wrapped))
    provider.fail_next()
    with pytest.raises(KeyUnavailable):
        keys.new_key(OTHER)


def test_a_slow_provider_does_not_hold_up_cached_keys(keys: DataKeys, provider: MemoryProvider) -> None:
    """The lock is not held over a call: a cached key opens while another one is still being unwrapped."""
    wrapped = {person: keys.new_key(person)[1] for person in (PERSON, OTHER)}
    keys.open_key(PERSON, wrapped[PERSON])
    entered, release = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        release.wait(10)

    provider.before_call = wait
    slow = threading.Thread(target=keys.open_key, args=(OTHER, wrapped[OTHER]))
    slow.start()
    assert entered.wait(10)
    quick = threading.Thread(target=keys.open_key, args=(PERSON, wrapped[PERSON]))
    quick.start()
    quick.join(5)
    held_up = quick.is_alive()
    release.set()
    slow.join()
    quick.join()
    assert not held_up


def test_the_cache_is_changed_by_one_thread_at_a_time(provider: MemoryProvider) -> None:
    """A key forgotten between being found and being moved up: without the lock the cache trips over itself."""
    threads: list[threading.Thread] = []
    armed = False

    def monotonic() -> float:
        if armed:
            threads.append(threading.Thread(target=keys.forget, args=(PERSON,)))
            threads[-1].start()
            threads[-1].join(0.05)
        return 0.0

    keys = DataKeys(provider, REGISTRY, monotonic=monotonic)
    _, wrapped = keys.new_key(PERSON)
    first = keys.open_key(PERSON, wrapped)
    armed = True
    assert keys.open_key(PERSON, wrapped) is first
    armed = False
    threads[0].join()
    assert keys.open_key(PERSON, wrapped) is not first


def test_many_threads_get_the_right_keys(provider: MemoryProvider) -> None:
    keys = DataKeys(provider, REGISTRY, limits=CacheLimits(max_keys=8, max_seconds=60))
    people = [PersonId(f"{number:032x}") for number in range(20)]
    wrapped = {}
    sealed = {}
    for person in people:
        key, wrapped[person] = keys.new_key(person)
        sealed[person] = seal(key, person.encode(), PLACE)
    problems: list[object] = []
    start = threading.Barrier(8)

    def work(offset: int) -> None:
        start.wait()
        for step in range(300):
            person = people[(offset + step * (offset + 1)) % len(people)]
            try:
                if unseal(keys.open_key(person, wrapped[person]), sealed[person], PLACE) != person.encode():
                    problems.append(person)
            except Exception as error:  # noqa: BLE001 - whatever happens in a thread must reach the test
                problems.append(error)
            if step % 50 == offset:
                keys.forget(person)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(keys._cache) <= 8


def test_nothing_is_shown_or_pickled(keys: DataKeys) -> None:
    assert repr(keys) == f"DataKeys({REGISTRY})"
    with pytest.raises(TypeError):
        pickle.dumps(keys)


def made(keys: DataKeys, count: int) -> list[tuple[PersonId, WrappedKey]]:
    persons = [PersonId(f"{number:032x}") for number in range(count)]
    return [(person, wrapped) for person, (_, wrapped) in zip(persons, keys.new_keys(persons), strict=True)]


def test_several_keys_are_made_and_opened_in_one_call(keys: DataKeys, provider: MemoryProvider) -> None:
    wanted = made(keys, 3)
    keys.prepare(wanted)
    for person, wrapped in wanted:
        keys.open_key(person, wrapped)
    keys.prepare(wanted)
    assert provider.calls == ["wrap_many", "unwrap_many"]


def test_what_cannot_be_prepared_is_told_where_it_is_opened(keys: DataKeys, provider: MemoryProvider) -> None:
    (one, good), (two, _) = made(keys, 2)
    moved = WrappedKey(good.key_id, good.blob)
    keys.prepare([(one, good), (two, moved)])
    keys.open_key(one, good)
    with pytest.raises(EnvelopeRejected):
        keys.open_key(two, moved)
    keys.forget_all()
    provider.fail_next()
    keys.prepare([(one, good)])
    keys.open_key(one, good)
    assert provider.calls[-1] == "unwrap"


def test_a_prepared_key_of_another_length_is_none(
    keys: DataKeys, provider: MemoryProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, good), (two, short) = made(keys, 2)
    right = provider.unwrap_many
    monkeypatch.setattr(provider, "unwrap_many", lambda items: [right(items)[0], bytes(16)])
    keys.prepare([(one, good), (two, short)])
    monkeypatch.setattr(provider, "unwrap", lambda *_: bytes(16))
    keys.open_key(one, good)
    with pytest.raises(EnvelopeRejected):
        keys.open_key(two, short)


def test_who_is_forgotten_while_keys_are_prepared_is_not_remembered(keys: DataKeys, provider: MemoryProvider) -> None:
    wanted = made(keys, 2)
    provider.before_call = lambda: keys.forget(wanted[0][0])
    keys.prepare(wanted)
    provider.before_call = lambda: None
    keys.open_key(*wanted[0])
    assert unwraps(provider) == 1


def test_who_was_erased_has_no_key_whatever_is_stored(tmp_path: Path, provider: MemoryProvider) -> None:
    (folder := tmp_path / "keys").mkdir(mode=0o700)
    erased = ErasedList(folder, bytes(32))
    keys = DataKeys(provider, REGISTRY, erased=erased)
    _, wrapped = keys.new_key(PERSON)
    erased.add([PERSON])
    keys.prepare([(PERSON, wrapped)])
    assert keys.figures().kept == 0
    with pytest.raises(KeyUnavailable, match="was erased"):
        keys.open_key(PERSON, wrapped)
