"""What signs the ledger and what checks its signatures, over every key that it ever had."""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.clock import Clock, unix_ms
from registry.domain.errors import KeyUnavailable, ProofRejected
from registry.keys.ports import Keyring, SigningKeys, SigningPair
from registry.transparency.checkpoint import Checkpoint, parse_checkpoint
from registry.transparency.cosignature import ML_DSA_44, cosign, cosigner_key
from registry.transparency.note import (
    Verifier,
    VerifierKey,
    sign_note,
    signature_line,
    split_note,
    verifier_key,
)
from registry.transparency.terms import KeyOrder, KeyPair, KeyTerm, epoch_of, origin_after, parse_term
from registry.witness.keys import check_of

_DAMAGED = "what the key folder says of the ledger's former keys does not hold: {}; restore the folder from a backup"


@dataclass(frozen=True, slots=True)
class _Read:
    """The keys as read from the folder, checked."""

    keys: SigningKeys
    pair: KeyPair
    terms: tuple[KeyTerm, ...]
    order: KeyOrder


class LedgerSigning:
    """Signs checkpoints (``audit.log.NoteSigner``), and says which key may sign which size (``LedgerKeys``).

    What another process did to the key folder is taken up where it matters: before a signature is checked, and when the
    committed head is not as this process would sign it.
    """

    def __init__(self, origin: str, ring: Keyring, clock: Clock) -> None:
        """Read the keys.

        Args:
            origin: the ledger's first name.
            ring: holds the keys.
            clock: tells the time of second signatures.

        Raises:
            KeyUnavailable: the key folder cannot be read, or what it says of former keys does not hold.
        """
        self._first = origin
        self._ring = ring
        self._clock = clock
        self._read = self._checked(ring.signing_keys())

    @property
    def origin(self) -> str:
        """The ledger's name now; see ``NoteSigner``."""
        return self._read.pair.key.name

    @property
    def next_origin(self) -> str:
        """The name that the announced key takes over under after a loss; see ``NoteSigner``."""
        return self.next_pair.key.name

    @property
    def next_pair(self) -> KeyPair:
        """Both announced keys under the name that they take over under after a loss.

        Raises:
            KeyUnavailable: none are announced.
        """
        read = self._now()
        following = _announced(read)
        return _public(following, origin_after(read.pair.key.name, following.key_id))

    @property
    def epoch(self) -> int:
        """The number of the origin's epoch, from 1; see ``NoteSigner``."""
        return epoch_of(self.origin)

    def origin_at(self, index: int) -> str:
        """Return the name that the ledger had when an entry came to it; see ``NoteSigner``."""
        ended = (term.pair.key.name for term in self._read.terms if index < term.last)
        return next(ended, self.origin)

    @property
    def key(self) -> VerifierKey:
        """The key that signs now."""
        return self._now().pair.key

    @property
    def pair(self) -> KeyPair:
        """Both keys that sign now."""
        return self._now().pair

    @property
    def following(self) -> KeyPair | None:
        """Both keys that are announced; None for none."""
        read = self._now()
        announced = read.keys.following
        return None if announced is None else _public(announced, read.pair.key.name)

    @property
    def terms(self) -> tuple[KeyTerm, ...]:
        """Former keys, oldest first, with the checkpoints at which the next ones took over."""
        return self._now().terms

    def announce(self, *, anew: bool = False) -> KeyPair:
        """Make the keys that are to sign next, and return them; those that were announced already stay.

        Args:
            anew: destroy those that were announced; only while the head is held, so that none of them signed it.

        Raises:
            KeyUnavailable: they cannot be written.
        """
        return _public(self._ring.announce_signing(self._clock, anew=anew), self.origin)

    def destroy_left(self) -> None:
        """Destroy what a crash left in the folder of keys that sign nothing any more.

        Raises:
            KeyUnavailable: the folder cannot be written.
        """
        # Whatever changes the folder removes that first; the present keys taking over changes nothing more.
        self._ring.exchange_signing(self._now().keys.current.key_id, "", self._clock)

    def of_size(self, size: int) -> tuple[Verifier, ...]:
        """Return the keys that may sign a checkpoint of this size; see ``LedgerKeys``."""
        return tuple(self._now().order.of_size(size))

    def signed(self, text: str, size: int) -> str:
        """Return the note of a checkpoint of this size; see ``NoteSigner``."""
        read = self._read
        if read.terms and read.terms[-1].size == size and read.terms[-1].note.startswith(f"{text}\n"):
            return _head_note(read.terms[-1], read.pair)
        return sign_note(text, read.pair.key.name, read.pair.key.key_id, read.keys.current.first.sign)

    def signed_by_both(self, text: str) -> str:
        """Return the note of the checkpoint at which the announced key takes over; see ``NoteSigner``."""
        read = self._now()
        return _note_of_both(read, _announced(read), text)

    def caught_up(self, note: str) -> bool:
        """Take up what another process made of the keys, or finish it; see ``NoteSigner``."""
        before, read = self._read, self._now()
        following = read.keys.following
        if following is not None:
            text = split_note(note)[0]
            names = read.pair.key.name, origin_after(read.pair.key.name, following.key_id)
            if text.partition("\n")[0] in names and _note_of_both(read, following, text) == note:
                self._ring.exchange_signing(following.key_id, self._term(read, following, note), self._clock)
        return self._now() is not before

    def second(self, checkpoint: Checkpoint, unix_s: int) -> str:
        """Return the line of the second signature; where a key took over, the lines of both."""
        read = self._now()
        if read.terms and read.terms[-1].size == checkpoint.size:
            return read.terms[-1].note.removeprefix(_head_note(read.terms[-1], read.pair))
        return cosign(read.pair.second, checkpoint, unix_s, read.keys.current.second.sign)

    def _now(self) -> _Read:
        keys = self._ring.signing_keys()
        if keys is not self._read.keys:
            self._read = self._checked(keys)
        return self._read

    def _checked(self, keys: SigningKeys) -> _Read:
        try:
            terms = tuple(parse_term(term) for term in keys.terms)
            pair = _public(keys.current, terms[-1].next_origin if terms else self._first)
            read = _Read(keys, pair, terms, KeyOrder(terms, pair, check_of))
        except ProofRejected as error:
            raise KeyUnavailable(_DAMAGED.format(error)) from None
        if terms and terms[0].pair.key.name != self._first:
            raise KeyUnavailable(_DAMAGED.format("they are of another ledger"))
        return read

    def _term(self, read: _Read, following: SigningPair, note: str) -> str:
        """Return what is to be known of the present keys, signed with all four, before two of them are destroyed."""
        text = split_note(note)[0]
        origin = text.partition("\n")[0]
        checkpoint = parse_checkpoint(text, origin)
        unix_s = unix_ms(self._clock.now()) // 1000
        lines = (
            cosign(read.pair.second, checkpoint, unix_s, read.keys.current.second.sign),
            cosign(_public(following, origin).second, checkpoint, unix_s, following.second.sign),
        )
        return KeyTerm(read.pair, checkpoint.size, note + "".join(lines)).render()


def _announced(read: _Read) -> SigningPair:
    if read.keys.following is None:
        raise KeyUnavailable("no key is announced to sign the ledger")
    return read.keys.following


def _public(pair: SigningPair, origin: str) -> KeyPair:
    second = cosigner_key(origin, ML_DSA_44, pair.second.public_bytes)
    return KeyPair(verifier_key(origin, pair.first.public_bytes), second)


def _note_of_both(read: _Read, following: SigningPair, text: str) -> str:
    """Return a note that the present key signs under its own name, and the following one under that of the text."""
    note = sign_note(text, read.pair.key.name, read.pair.key.key_id, read.keys.current.first.sign)
    origin = text.partition("\n")[0]
    return note + signature_line(origin, _public(following, origin).key.key_id, following.first.sign(text.encode()))


def _head_note(term: KeyTerm, following: KeyPair) -> str:
    """Return the note of a term with the lines of the two Ed25519 keys alone, as the ledger's head has it."""
    text, lines = split_note(term.note)
    ours = [line for line in lines if line.key_id in (term.pair.key.key_id, following.key.key_id)]
    return f"{text}\n{''.join(signature_line(line.name, line.key_id, line.signature) for line in ours)}"
