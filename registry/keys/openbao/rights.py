"""What the registry may do at the key service: the policy, the commands that set it up, and the look at what it got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from registry.domain.errors import KeyUnavailable
from registry.keys.causes import FAILED
from registry.keys.openbao.session import Session
from registry.keys.openbao.settings import KeyServiceSettings

UPDATE, DENY, ROOT = "update", "deny", "root"
_CAPABILITIES = "sys/capabilities-self"
_HEAD = """\
#!/bin/sh
# Sets OpenBao up for a registry. For who administers OpenBao, with BAO_ADDR and BAO_TOKEN set; may be run again.
# Writes a new secret id to standard output, and everything else to standard error:
#   umask 077; sh setup.sh > secret-id
set -eu
exec 3>&1 1>&2
"""


def needed(settings: KeyServiceSettings) -> Mapping[str, str]:
    """Return each path that the registry uses, and why."""
    used = {}
    for key in settings.transit_keys:
        used[f"{settings.mount}/encrypt/{key}"] = "wraps"
        used[f"{settings.mount}/decrypt/{key}"] = "unwraps"
    used["auth/token/renew-self"] = "keeps its token alive"
    used[_CAPABILITIES] = "lets registry doctor compare this policy"
    return used


def policy(settings: KeyServiceSettings) -> str:
    """Return the policy of the registry's role, in OpenBao's language."""
    lines = ["# What a registry may do, and nothing else: it cannot read, make, rotate, export or delete a key."]
    for path, why in needed(settings).items():
        lines.append(f'path "{path}" {{ capabilities = ["{UPDATE}"] }}  # {why}')
    return "".join(f"{line}\n" for line in lines)


def auditor_policy(device: str) -> str:
    """Return the policy of who reconciles: to ask how a text stands in the audit log, and nothing else."""
    return f'path "sys/audit-hash/{device}" {{ capabilities = ["{UPDATE}"] }}  # finds unwraps in the log; opens none\n'


def set_up_script(settings: KeyServiceSettings) -> str:
    """Return the commands that make keys, policy and role, and write a secret id."""
    mount, auth, role = settings.mount, settings.auth_mount, settings.key_prefix
    enable = (
        f"bao secrets list -format=json | grep -q '\"{mount}/\"' || bao secrets enable -path={mount} transit",
        f"bao auth list -format=json | grep -q '\"{auth}/\"' || bao auth enable -path={auth} approle",
    )
    keys = (f"bao write -f {mount}/keys/{key} type=aes256-gcm96 derived=true" for key in settings.transit_keys)
    life = f"token_policies={role} token_no_default_policy=true token_ttl=20m token_max_ttl=24h"
    grant = (
        f"bao policy write {role} - <<'POLICY'\n{policy(settings)}POLICY",
        f"bao write auth/{auth}/role/{role} {life}",
        f"bao write auth/{auth}/role/{role}/role-id role_id='{settings.role_id}'",
        f"bao write -field=secret_id -f auth/{auth}/role/{role}/secret-id >&3",
    )
    return _HEAD + "".join(f"{line}\n" for line in (*enable, *keys, *grant))


def excess(session: Session) -> tuple[str, ...]:
    """Return the paths at which the registry may do more than it needs; empty when the policy fits.

    Raises:
        KeyUnavailable: the service cannot be asked, or the registry may not even ask this.
    """
    settings = session.settings
    wanted, unwanted = list(needed(settings)), _unwanted(settings)
    data = session.call(_CAPABILITIES, {"paths": [*wanted, *unwanted]}).document.get("data")
    if not isinstance(data, dict):
        raise KeyUnavailable("the key service does not say what this registry may do there", FAILED)
    wide = [path for path in wanted if set(_list(data.get(path))) - {UPDATE}]
    return (*wide, *(path for path in unwanted if set(_list(data.get(path))) - {DENY}))


def _unwanted(settings: KeyServiceSettings) -> tuple[str, ...]:
    """Return paths that a wildcard, a second policy or a root token would open."""
    mount, key = settings.mount, settings.transit_keys[0]
    return (
        f"{mount}/keys/{key}",
        f"{mount}/keys/{key}/rotate",
        f"{mount}/keys/{key}/config",
        f"{mount}/export/encryption-key/{key}",
        f"{mount}/backup/{key}",
        f"{mount}/decrypt/{settings.key_prefix}-of-others",
        f"auth/{settings.auth_mount}/role/{settings.key_prefix}/secret-id",
        f"sys/policies/acl/{settings.key_prefix}",
        f"sys/mounts/{mount}",
        "sys/seal",
    )


def _list(found: object) -> Sequence[str]:
    return [str(one) for one in found] if isinstance(found, list) else []
