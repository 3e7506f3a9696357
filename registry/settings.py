"""Settings: read once, frozen, handed on as values. Environment, then config.toml in the home folder, then defaults."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from registry.domain.approvals import ALWAYS, Action, ApprovalRules
from registry.domain.errors import MisconfiguredHome
from registry.domain.purposes import PurposeCode, is_purpose_code
from registry.identity.issuers import IssuerSettings, require_safe_url
from registry.identity.presets import with_preset
from registry.identity.sign_in_settings import SignInSettings, read_sign_in
from registry.keys.configured import Custody, RemoteSettings, known_settings, read_service, read_split
from registry.keys.data_keys import DEFAULT_MAX_KEYS, DEFAULT_MAX_SECONDS, CacheLimits
from registry.keys.split.unsealed import SplitSettings
from registry.marks.canaries import NO_CANARIES, Canaries, read_canaries
from registry.notify.settings import NO_NOTICES, NotifySettings, read_notify
from registry.policy.settings import PolicySettings
from registry.services.anchors import AnchorSettings, Authority
from registry.services.brakes import DEVELOPMENT_LIMITS, PRODUCTION_LIMITS, BrakeLimits
from registry.services.controls import Controls, RetentionSettings
from registry.services.witnesses import WitnessSettings
from registry.witness.client import demand_address

DEVELOPMENT = "development"
PRODUCTION = "production"
PROFILES = (DEVELOPMENT, PRODUCTION)
DEFAULT_CACHE = CacheLimits()
LONGEST_CACHE_SECONDS = 3_600
DEFAULT_BACKUPS_KEPT = timedelta(days=35)
DEFAULT_KEYS_EXCHANGED = timedelta(days=365)
DEFAULT_OPENINGS_KEPT = timedelta(days=7 * 365 + 2)
_OPENINGS = "openings_kept_days"
# An accounting of disclosures goes back six years, two of them leap years.
_OPENINGS_DAYS = range(6 * 365 + 2, 36_526)
IMPORT_MAX_BYTES = 256 << 20
# Nobody can own this domain: an installation that people rely on names a real address.
NO_SECURITY_CONTACT = "mailto:security@registry.invalid"
_AUTHORITY = re.compile(r"[a-z0-9-]{1,32}")
_DOTTED = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,9})){1,20}")
_HEARTBEAT = "heartbeat_seconds"
_KNOWN = frozenset(
    {
        "issuers",
        "public_url",
        "security_contact",
        "import_max_bytes",
        "stop_notice_seconds",
        _HEARTBEAT,
        "anchors",
        "anchor_minutes",
        "keys",
        "brakes",
        "policy",
        "witness",
        "approvals",
        "notify",
        "marks",
        "canaries",
        "retention",
        "sign_in",
    }
)
_CACHE = frozenset({"cache_keys", "cache_seconds"})
_BACKUPS = "backups_kept_days"
_EXCHANGED = "exchanged_days"
_BRAKES = {
    "subjects_per_day": range(1_000_001),
    "cooling_days": range(366),
    "cooling_subjects_per_day": range(1_000_001),
    "checks_per_day": range(1_000_001),
    "candidates": range(1_001),
    "popular_readers": range(2, 1_001),
    "strong_traces_per_year": range(1_000_001),
}
# 1,440 entries of 0.7 kB a day at most, where nothing else happens.
PRODUCTION_HEARTBEAT_SECONDS = 60
_OPTIONAL = frozenset(Action) - ALWAYS
_APPROVALS = {
    "decide_hours": range(1, 31 * 24 + 1),
    "use_hours": range(1, 7 * 24 + 1),
    "emergency_minutes": range(1, 4 * 60 + 1),
    "review_hours": range(1, 7 * 24 + 1),
    "unreviewed": range(1, 101),
    "reply_days": range(1, 91),
    "hold_approver_days": range(1, 366),
    "hold_days": range(1, 366),
}
_HR_CLIENTS = "hr_clients"
_WITNESS = {
    "every_seconds": range(1, 3_601),
    "alarm_minutes": range(1, 10_081),
    "alarm_entries": range(1, 1_000_000_001),
    "stop_hours": range(721),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the registry lives and whom it trusts.

    Attributes:
        home: folder with registry.db, keys/, ledger/ and config.toml (``--home``, ``REGISTRY_HOME``).
        database_url: SQLAlchemy address (``REGISTRY_DATABASE_URL``); default is registry.db in the home folder.
        issuers: token issuers (``[[issuers]]`` in config.toml); the development issuer is added by bootstrap.
        public_url: where clients reach this registry, scheme, host and port (``public_url`` in config.toml); proofs of
            bound tokens are compared with it.
        security_contact: address for reports of weaknesses, ``mailto:`` or ``https:`` (``security_contact`` in
            config.toml); published at ``/.well-known/security.txt``.
        import_max_bytes: longest body of ``POST /v1/subjects/import`` (``import_max_bytes`` in config.toml).
        stop_notice_seconds: how long a server that was told to stop serves on while ``/readyz`` says no
            (``stop_notice_seconds`` in config.toml).
        heartbeat_seconds: the longest time without an entry (``heartbeat_seconds`` in config.toml), 0 for any; None for
            the profile's.
        anchors: who time-stamps the ledger's checkpoints (``[[anchors]]`` and ``anchor_minutes`` in config.toml).
        key_service: the OpenBao, AWS KMS or token that holds the keys (``[keys]`` in config.toml); None when files do.
        unsealing: where unseal keys are while they are open (``[keys]`` in config.toml); None but for a split keyring.
        key_cache: how many opened data keys are kept, and how long (``[keys]`` in config.toml).
        backups_kept: how long a backup may be put back, and so needs the keys of its day (``[keys]`` in config.toml).
        keys_exchanged: how long a key is in use before ``registry keys status`` says so (``[keys]`` in config.toml).
        witness: who cosigns the ledger's checkpoints (``[witness]`` in config.toml).
        openings_kept: how long the ledger keeps what entries say (``[retention]`` in config.toml).
        policy: an agency's own policies, and what they may switch (``[policy]`` in config.toml).
        approvals: what ``[approvals]`` in config.toml says of ``domain.approvals.ApprovalRules``; the rest is the
            profile's.
        brakes: what ``[brakes]`` in config.toml says of ``services.brakes.BrakeLimits``; the rest is the profile's.
        notify: where notices are sent (``[notify]`` in config.toml).
        unmarked_clients: clients whose tokens may ask for copies without marks (``[marks]`` in config.toml).
        canaries: ranges of telephone numbers of made-up people (``[canaries]`` in config.toml).
        sign_in: where people sign in to the console (``[sign_in]`` in config.toml); None: with a token alone.
    """

    home: Path
    database_url: str = field(repr=False)
    issuers: tuple[IssuerSettings, ...] = ()
    public_url: str = ""
    security_contact: str = NO_SECURITY_CONTACT
    import_max_bytes: int = IMPORT_MAX_BYTES
    stop_notice_seconds: int = 0
    heartbeat_seconds: int | None = None
    anchors: AnchorSettings = field(default_factory=AnchorSettings)
    key_service: RemoteSettings | None = None
    unsealing: SplitSettings | None = None
    key_cache: CacheLimits = DEFAULT_CACHE
    backups_kept: timedelta = DEFAULT_BACKUPS_KEPT
    keys_exchanged: timedelta = DEFAULT_KEYS_EXCHANGED
    openings_kept: timedelta = DEFAULT_OPENINGS_KEPT
    brakes: Mapping[str, Any] = field(default_factory=dict)
    policy: PolicySettings = field(default_factory=PolicySettings)
    witness: WitnessSettings = field(default_factory=WitnessSettings)
    approvals: Mapping[str, Any] = field(default_factory=dict)
    notify: NotifySettings = NO_NOTICES
    unmarked_clients: frozenset[str] = frozenset()
    canaries: Canaries = NO_CANARIES
    sign_in: SignInSettings | None = None

    def limits(self, profile: str) -> BrakeLimits:
        """Return the brakes of a registry of this profile: none on lookups in development, unless they are set."""
        return replace(PRODUCTION_LIMITS if profile == PRODUCTION else DEVELOPMENT_LIMITS, **self.brakes)

    def rules(self, profile: str) -> ApprovalRules:
        """Return what takes other people's approval: dual control of everything in production, unless it is set."""
        usual = _OPTIONAL if profile == PRODUCTION else frozenset[Action]()
        return ApprovalRules(**{"dual_control": usual, **self.approvals})

    def heartbeat(self, profile: str) -> int:
        """Return after how many seconds without an entry one is made in a registry of this profile; 0 for never."""
        usual = PRODUCTION_HEARTBEAT_SECONDS if profile == PRODUCTION else 0
        return usual if self.heartbeat_seconds is None else self.heartbeat_seconds

    def controls(self, profile: str) -> Controls:
        """Return what restrains people in a registry of this profile."""
        kept = RetentionSettings(self.openings_kept.days)
        return Controls(self.rules(profile), self.limits(profile), self.witness, kept)

    @property
    def custody(self) -> Custody:
        """Who keeps the keys, when not the files of the home folder alone."""
        return self.key_service or self.unsealing

    @property
    def keys(self) -> Path:
        """Folder of the local keyring."""
        return self.home / "keys"

    @property
    def ledger(self) -> Path:
        """Folder of the ledger's side files."""
        return self.home / "ledger"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.home / "config.toml"


def default_home(environment: Mapping[str, str]) -> Path:
    """Return the home folder when none is given."""
    given = environment.get("REGISTRY_HOME")
    return Path(given) if given else Path.home() / ".local" / "share" / "registry"


def load_settings(home: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        MisconfiguredHome: config.toml is not readable or says something unknown.
    """
    seen = os.environ if environment is None else environment
    folder = (default_home(seen) if home is None else home).expanduser().absolute()
    url = seen.get("REGISTRY_DATABASE_URL") or f"sqlite:///{folder / 'registry.db'}"
    config = _config(folder / "config.toml")
    keys = _keys(config)
    return Settings(
        home=folder,
        database_url=url,
        issuers=(issuers := _issuers(config)),
        public_url=(public_url := _public_url(config)),
        security_contact=_security_contact(config),
        import_max_bytes=_whole(config, "import_max_bytes", IMPORT_MAX_BYTES, range(1, 1 << 62)),
        stop_notice_seconds=_whole(config, "stop_notice_seconds", 0, range(301)),
        heartbeat_seconds=_whole(config, "heartbeat_seconds", 0, range(86_401))
        if "heartbeat_seconds" in config
        else None,
        anchors=_anchors(config, folder),
        key_service=read_service(keys, folder),
        unsealing=read_split(keys, folder),
        key_cache=_key_cache(keys),
        backups_kept=timedelta(days=_whole(keys, _BACKUPS, DEFAULT_BACKUPS_KEPT.days, range(3_651))),
        keys_exchanged=timedelta(days=_whole(keys, _EXCHANGED, DEFAULT_KEYS_EXCHANGED.days, range(1, 3_651))),
        openings_kept=_openings_kept(config),
        brakes=_brakes(config),
        policy=_policy(config, folder),
        witness=_witness(config, folder),
        approvals=_approvals(config),
        notify=read_notify(config.get("notify", {}), folder),
        unmarked_clients=_unmarked_clients(config),
        canaries=read_canaries(config.get("canaries", {})),
        sign_in=read_sign_in(config.get("sign_in"), issuers, public_url, folder),
    )


def _config(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise MisconfiguredHome(f"{path} is not readable TOML; mend it or remove it") from exc
    if unknown := set(config) - _KNOWN:
        raise MisconfiguredHome(f"{path} has unknown settings: {', '.join(sorted(unknown))}")
    return config


def _public_url(config: Mapping[str, Any]) -> str:
    url = config.get("public_url", "")
    if not isinstance(url, str):
        raise MisconfiguredHome("config.toml: public_url must be an address")
    if url:
        require_safe_url(url, "public_url")
        if urlsplit(url).path not in ("", "/") or urlsplit(url).query:
            raise MisconfiguredHome("config.toml: public_url is scheme, host and port alone")
    return url


def _security_contact(config: Mapping[str, Any]) -> str:
    contact = config.get("security_contact", NO_SECURITY_CONTACT)
    if not isinstance(contact, str) or not contact.startswith(("mailto:", "https:")) or not contact.isprintable():
        raise MisconfiguredHome("config.toml: security_contact must be a mailto: or https: address in one line")
    return contact


def _whole(config: Mapping[str, Any], name: str, default: int, among: range) -> int:
    number = config.get(name, default)
    if not isinstance(number, int) or isinstance(number, bool) or number not in among:
        raise MisconfiguredHome(f"config.toml: {name} must be a whole number from {among[0]} to {among[-1]}")
    return number


def _issuers(config: Mapping[str, Any]) -> tuple[IssuerSettings, ...]:
    tables = config.get("issuers", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise MisconfiguredHome("config.toml: write each issuer as a table under [[issuers]]")
    return tuple(_issuer(number, table) for number, table in enumerate(tables, start=1))


def _issuer(number: int, table: Mapping[str, Any]) -> IssuerSettings:
    known = {field.name for field in fields(IssuerSettings)}
    unknown = sorted(set(table) - known - {"preset"})
    table = table if unknown else with_preset(table)
    missing = [name for name in ("issuer", "audience", "algorithms") if name not in table]
    if unknown or missing:
        what = f"unknown {', '.join(unknown)}" if unknown else f"{', '.join(missing)} missing"
        raise MisconfiguredHome(f"config.toml: issuer {number} is not usable: {what}")
    given = dict(table)
    try:
        for name in {"algorithms", "token_types", "step_up_acr", "single_use"} & given.keys():
            given[name] = frozenset(_texts(given[name]))
        for name in {"jwks_origins", "networks", "subject_claims", "client_claims"} & given.keys():
            given[name] = _texts(given[name])
        if not isinstance(given.get("roles_claim", ""), str):
            given["roles_claim"] = _texts(given["roles_claim"])
        if "fixed_claims" in given:
            given["fixed_claims"] = tuple(
                (name, frozenset(_texts(among))) for name, among in given["fixed_claims"].items()
            )
        if "jwks_file" in given:
            given["jwks_file"] = Path(given["jwks_file"])
        return IssuerSettings(**given)
    except (TypeError, ValueError, AttributeError):
        raise MisconfiguredHome(f"config.toml: issuer {number} is not usable: a setting has the wrong type") from None


def _texts(listed: object) -> tuple[str, ...]:
    # A text alone would be taken apart into its letters.
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise TypeError("not a list of texts")
    return tuple(listed)


def _keys(config: Mapping[str, Any]) -> dict[str, Any]:
    keys = config.get("keys", {})
    if not isinstance(keys, dict):
        raise MisconfiguredHome("config.toml: write the keys' settings as a table, [keys]")
    known = {"provider", _BACKUPS, _EXCHANGED, *_CACHE, *known_settings(keys)}
    if unknown := sorted(set(keys) - known):
        raise MisconfiguredHome(f"config.toml: keys has unknown settings: {', '.join(unknown)}")
    return keys


def _key_cache(keys: Mapping[str, Any]) -> CacheLimits:
    count, seconds = keys.get("cache_keys", DEFAULT_MAX_KEYS), keys.get("cache_seconds", DEFAULT_MAX_SECONDS)
    if not (_is_number(count) and int(count) == count and count >= 1):
        raise MisconfiguredHome("config.toml: keys: cache_keys must be a whole number, at least 1")
    if not (_is_number(seconds) and 1 <= seconds <= LONGEST_CACHE_SECONDS):
        raise MisconfiguredHome(f"config.toml: keys: cache_seconds is 1 to {LONGEST_CACHE_SECONDS:,}")
    return CacheLimits(int(count), float(seconds))


def _unmarked_clients(config: Mapping[str, Any]) -> frozenset[str]:
    given = config.get("marks", {})
    if not isinstance(given, dict) or set(given) - {"unmarked_clients"}:
        raise MisconfiguredHome("config.toml: write the settings of marks as a table, [marks], with unmarked_clients")
    return _clients("marks", "unmarked_clients", given.get("unmarked_clients", []))


def _clients(table: str, name: str, given: Any) -> frozenset[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        raise MisconfiguredHome(f"config.toml: {table}: {name} is a list of clients of tokens")
    return frozenset(given)


def _openings_kept(config: Mapping[str, Any]) -> timedelta:
    given = config.get("retention", {})
    if not isinstance(given, dict) or set(given) - {_OPENINGS}:
        raise MisconfiguredHome(
            f"config.toml: write the setting of retention as a table, [retention], with {_OPENINGS}"
        )
    return timedelta(days=_whole(given, _OPENINGS, DEFAULT_OPENINGS_KEPT.days, _OPENINGS_DAYS))


def _policy(config: Mapping[str, Any], home: Path) -> PolicySettings:
    given = config.get("policy", {})
    if not isinstance(given, dict):
        raise MisconfiguredHome("config.toml: write the policy's settings as a table, [policy]")
    if unknown := sorted(set(given) - {one.name for one in fields(PolicySettings)}):
        raise MisconfiguredHome(f"config.toml: policy has unknown settings: {', '.join(unknown)}")
    kinds = {"folder": str, "same_unit": bool, "case_form": str}
    if not all(type(value) is kinds[name] for name, value in given.items()):
        raise MisconfiguredHome("config.toml: a setting of policy has the wrong type")
    folder = home / given["folder"] if "folder" in given else None
    return PolicySettings(**{**given, "folder": folder})


def _approvals(config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("approvals", {})
    if not isinstance(given, dict):
        raise MisconfiguredHome("config.toml: write the approvals' settings as a table, [approvals]")
    if unknown := sorted(set(given) - {*_APPROVALS, "dual_control", _HR_CLIENTS}):
        raise MisconfiguredHome(f"config.toml: approvals has unknown settings: {', '.join(unknown)}")
    read: dict[str, Any] = {name: _whole(given, name, 0, among) for name, among in _APPROVALS.items() if name in given}
    if "dual_control" in given:
        read["dual_control"] = _actions(given["dual_control"])
    if _HR_CLIENTS in given:
        read[_HR_CLIENTS] = _clients("approvals", _HR_CLIENTS, given[_HR_CLIENTS])
    return read


def _actions(given: Any) -> frozenset[Action]:
    if not isinstance(given, list) or not all(isinstance(one, str) and one in _OPTIONAL for one in given):
        named = ", ".join(one for one in Action if one in _OPTIONAL)
        raise MisconfiguredHome(f"config.toml: approvals: dual_control is a list of {named}")
    return frozenset(map(Action, given))


def _witness(config: Mapping[str, Any], home: Path) -> WitnessSettings:
    given = config.get("witness", {})
    if not isinstance(given, dict):
        raise MisconfiguredHome("config.toml: write the witnesses' settings as a table, [witness]")
    if unknown := sorted(set(given) - {"policy", *_WITNESS}):
        raise MisconfiguredHome(f"config.toml: witness has unknown settings: {', '.join(unknown)}")
    policy = given.get("policy")
    if not isinstance(policy, str):
        if given:
            raise MisconfiguredHome("config.toml: witness needs policy, the name of a file")
        return WitnessSettings()
    numbers = {name: _whole(given, name, 0, among) for name, among in _WITNESS.items() if name in given}
    return WitnessSettings(policy=home / policy, **numbers)


def _anchors(config: Mapping[str, Any], home: Path) -> AnchorSettings:
    tables = config.get("anchors", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise MisconfiguredHome("config.toml: write each time-stamping authority as a table under [[anchors]]")
    authorities = tuple(_authority(table, home) for table in tables)
    if len({one.name for one in authorities}) != len(authorities):
        raise MisconfiguredHome("config.toml: two time-stamping authorities have one name")
    return AnchorSettings(authorities, _whole(config, "anchor_minutes", 10, range(1, 1_441)))


def _authority(table: Mapping[str, Any], home: Path) -> Authority:
    words = {name: table.get(name, "") for name in ("name", "url", "ca_file", "policy")}
    is_text = set(table) <= set(words) and all(isinstance(word, str) for word in words.values())
    if not is_text or not _AUTHORITY.fullmatch(words["name"]) or not words["ca_file"]:
        raise MisconfiguredHome(
            "config.toml: an authority under [[anchors]] needs name, url and ca_file; policy if wanted"
        )
    if words["policy"] and not _DOTTED.fullmatch(words["policy"]):
        raise MisconfiguredHome("config.toml: the policy of an authority is an object identifier such as 1.2.3.4")
    demand_address(words["url"])
    return Authority(words["name"], words["url"], home / words["ca_file"], words["policy"])


def _brakes(config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("brakes", {})
    if not isinstance(given, dict):
        raise MisconfiguredHome("config.toml: write the brakes' settings as a table, [brakes]")
    if unknown := sorted(set(given) - {*_BRAKES, "purposes", "hours"}):
        raise MisconfiguredHome(f"config.toml: brakes has unknown settings: {', '.join(unknown)}")
    read: dict[str, Any] = {name: _whole(given, name, 0, among) for name, among in _BRAKES.items() if name in given}
    if "purposes" in given:
        read["by_purpose"] = _by_purpose(given["purposes"])
    if "hours" in given:
        read["hours"] = _hours(given["hours"])
    return read


def _by_purpose(given: Any) -> dict[PurposeCode, int]:
    if not isinstance(given, dict) or not all(map(is_purpose_code, given)):
        raise MisconfiguredHome("config.toml: brakes: purposes is a table of purposes and their subjects a day")
    return {PurposeCode(name): _whole(given, name, 0, _BRAKES["subjects_per_day"]) for name in given}


def _hours(given: Any) -> tuple[int, int]:
    is_pair = isinstance(given, list) and [type(hour) for hour in given] == [int, int]
    if not is_pair or not 0 <= given[0] < given[1] <= 24:
        raise MisconfiguredHome("config.toml: brakes: hours is two whole hours of the day (UTC), such as [6, 20]")
    return given[0], given[1]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
