"""Which draw an entry commits to: a copy's usual one, that of a canary, or one from before slots were added."""

from __future__ import annotations

from registry.crypto.tags import equal
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId
from registry.marks.draw import RecordMarks
from registry.marks.slots import TABLE_VERSION, older
from registry.transparency.fields import NONCE_BYTES, variant_commitment


def committed_vector(
    marks: RecordMarks, place: tuple[PrincipalId, Category, int], nonce: bytes, committed: bytes
) -> bytes | None:
    """Return the forms that an account was served a record version in.

    Args:
        marks: the draws of the record version, in the epoch that the copy was drawn in.
        place: whose copy, of which category, in which epoch.
        nonce: of the copy's entry.
        committed: what that entry commits to.

    Returns:
        None where the entry commits to no draw of this key: else somebody could put the key in order later.
    """
    account, category, epoch = place
    if len(nonce) != NONCE_BYTES:
        return None
    usual = marks.vector(account, category)
    drawn = (usual, marks.canary_vector(account, category), older(category, usual))
    told = ((vector, variant_commitment(vector, TABLE_VERSION, epoch, nonce)) for vector in drawn)
    return next((vector for vector, commitment in told if equal(commitment, committed)), None)
