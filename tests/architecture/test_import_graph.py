"""The import graph drawn from the code has floors and no arrow back up."""

from __future__ import annotations

import pytest

from tests.architecture.import_graph import bad_arrows, draw, floors, read_rooms
from tests.architecture.source import modules, parse

ORDER = (("domain",), ("crypto", "policy"), ("vault",))


def test_every_arrow_points_downwards() -> None:
    assert bad_arrows(read_rooms(modules("registry")), floors()) == []


def test_the_floors_are_those_of_the_contract() -> None:
    assert floors()[0] == ("domain",)
    assert floors()[-1] == ("cli",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("registry/domain/x.py", "from registry.vault.open import Vault\n"),
        ("registry/domain/x.py", "import registry.crypto.wrap\n"),
        ("registry/domain/x.py", "from registry import vault\n"),
        ("registry/domain/x.py", "from ..vault import open\n"),
        ("registry/domain/x.py", "def late():\n    from registry.vault import open\n"),
        ("registry/crypto/x.py", "from registry.policy.decide import decide\n"),
        ("registry/cellar/x.py", "x = 1\n"),
    ],
)
def test_a_wrong_arrow_is_found(path: str, text: str) -> None:
    assert len(bad_arrows(read_rooms([parse(text, path)]), ORDER)) == 1


def test_arrows_downwards_are_counted_and_drawn() -> None:
    code = [
        parse("from registry.crypto.wrap import wrap\nfrom registry.domain.ids import new_id\n", "registry/vault/a.py"),
        parse("from registry.crypto.tags import tag\n", "registry/vault/b.py"),
        parse("x = 1\n", "registry/domain/ids.py"),
    ]
    rooms = read_rooms(code)
    assert bad_arrows(rooms, ORDER) == []
    assert rooms["vault"].imports == {"crypto": 2, "domain": 1}
    assert "-> crypto 2, domain 1" in draw(rooms, ORDER)
