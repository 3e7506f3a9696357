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
from registry.transparency.terms import KeyOrder, KeyPair, KeyTerm, parse_term
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

        Raises:
            KeyUnavailable: the key folder cannot be read, or what it says of former keys does not hold.
        """
        self.origin = origin
        self._ring = ring
        self._clock = clock
        self._read = self._checked(ring.signing_keys())

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
        announced = self._now().keys.following
        return None if announced is None else self._public(announced)

    @property
    def terms(self) -> tuple[KeyTerm, ...]:
        """Former keys, oldest first, with the checkpoints at which the next ones took over."""
        return self._now().terms

    def announce(self) -> KeyPair:
        """Make the keys that are to sign next, and return them; those that were announced already stay.

        Raises:
            KeyUnavailable: they cannot be written.
        """
        return self._public(self._ring.announce_signing(self._clock))

    def of_size(self, size: int) -> tuple[Verifier, ...]:
        """Return the keys that may sign a checkpoint of this size; see ``LedgerKeys``."""
        return tuple(self._now().order.of_size(size))

    def signed(self, text: str, size: int) -> str:
        """Return the note of a checkpoint of this size; see ``NoteSigner``."""
        read = self._read
        if read.terms and read.terms[-1].size == size and read.terms[-1].note.startswith(f"{text}\n"):
            return _head_note(read.terms[-1], read.pair)
        return sign_note(text, self.origin, read.pair.key.key_id, read.keys.current.first.sign)

    def signed_by_both(self, text: str) -> str:
        """Return the note of the checkpoint at which the announced key takes over; see ``NoteSigner``."""
        read = self._now()
        if read.keys.following is None:
            raise KeyUnavailable("no key is announced to sign the ledger")
        return self._note_of_both(read, read.keys.following, text)

    def caught_up(self, note: str) -> bool:
        """Take up what another process made of the keys, or finish it; see ``NoteSigner``."""
        before, read = self._read, self._now()
        following = read.keys.following
        if following is not None:
            text = split_note(note)[0]
            if self._note_of_both(read, following, text) == note:
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
        pair = self._public(keys.current)
        try:
            terms = tuple(parse_term(term) for term in keys.terms)
            return _Read(keys, pair, terms, KeyOrder(terms, pair, check_of))
        except ProofRejected as error:
            raise KeyUnavailable(_DAMAGED.format(error)) from None

    def _public(self, pair: SigningPair) -> KeyPair:
        second = cosigner_key(self.origin, ML_DSA_44, pair.second.public_bytes)
        return KeyPair(verifier_key(self.origin, pair.first.public_bytes), second)

    def _note_of_both(self, read: _Read, following: SigningPair, text: str) -> str:
        note = sign_note(text, self.origin, read.pair.key.key_id, read.keys.current.first.sign)
        key_id = self._public(following).key.key_id
        return note + signature_line(self.origin, key_id, following.first.sign(text.encode()))

    def _term(self, read: _Read, following: SigningPair, note: str) -> str:
        """Return what is to be known of the present keys, signed with all four, before two of them are destroyed."""
        checkpoint = parse_checkpoint(split_note(note)[0], self.origin)
        unix_s = unix_ms(self._clock.now()) // 1000
        lines = (
            cosign(read.pair.second, checkpoint, unix_s, read.keys.current.second.sign),
            cosign(self._public(following).second, checkpoint, unix_s, following.second.sign),
        )
        return KeyTerm(read.pair, checkpoint.size, note + "".join(lines)).render()


def _head_note(term: KeyTerm, following: KeyPair) -> str:
    """Return the note of a term with the lines of the two Ed25519 keys alone, as the ledger's head has it."""
    text, lines = split_note(term.note)
    ours = [line for line in lines if line.key_id in (term.pair.key.key_id, following.key.key_id)]
    return f"{text}\n{''.join(signature_line(line.name, line.key_id, line.signature) for line in ours)}"
