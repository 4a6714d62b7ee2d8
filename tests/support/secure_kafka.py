"""A real Kafka with every kind of listener: plain, TLS, client certificates, SCRAM and OAUTHBEARER over TLS,
wrong certificates; and with ACLs.

Certificates are made by openssl for two days. On the plain listener everybody is a super user; on those with
a login or client certificates a user may do what the ACLs of the test say. OAUTHBEARER takes tokens that
nobody has signed (the broker's own handler for tests), and asks for a new one when the old one ends.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from stream.worker.kafka.rights import Acl
from tests.support.kafka_broker import JarBroker, free_port

USER, PASSWORD = "worker", "a right password"
KNOWN_TIMEOUT_S = 30.0
CERTIFICATES = {
    "good": ("IP:127.0.0.1,DNS:localhost", "2"),
    "expired": ("IP:127.0.0.1,DNS:localhost", "-1"),
    "other": ("DNS:kafka.example", "2"),
    "worker": ("DNS:worker", "2"),
}
"""Name -> the hosts that a certificate is for, and the days for which it is valid."""
LISTENERS = {
    "TLS": ("SSL", "good"),
    "MUTUAL": ("SSL", "good"),
    "SCRAM": ("SASL_SSL", "good"),
    "OAUTH": ("SASL_SSL", "good"),
    "SCRAMPLAIN": ("SASL_PLAINTEXT", ""),
    "EXPIRED": ("SSL", "expired"),
    "OTHER": ("SSL", "other"),
}
"""Listener -> protocol, certificate."""


def make_certificates(folder: Path) -> None:
    """An authority `ca.pem`, an unknown one `stranger.pem`, and `<name>.both.pem` (key, certificate)."""
    for name in ("ca", "stranger"):
        _openssl(
            folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    for name, (hosts, days) in CERTIFICATES.items():
        (folder / f"{name}.ext").write_text(f"subjectAltName={hosts}\n")
        _openssl(
            folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.csr",
        )  # fmt: skip
        _openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip
        both = (folder / f"{name}.key").read_text() + (folder / f"{name}.pem").read_text()
        (folder / f"{name}.both.pem").write_text(both)


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


class SecureKafka(JarBroker):
    """`bootstrap` is the plain listener; `address` gives the others."""

    def __init__(self) -> None:
        super().__init__({})
        make_certificates(self.directory)
        self._ports = {name: free_port() for name in LISTENERS}
        known = dict(line.split("=", 1) for line in self._config.read_text().splitlines())
        more = [f"{name}://127.0.0.1:{port}" for name, port in self._ports.items()]
        protocols = [f"{name}:{protocol}" for name, (protocol, _) in LISTENERS.items()]
        settings = {
            "listeners": ",".join([known["listeners"], *more]),
            "listener.security.protocol.map": ",".join([known["listener.security.protocol.map"], *protocols]),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        }
        for name, (protocol, certificate) in LISTENERS.items():
            prefix = f"listener.name.{name.lower()}"
            if certificate:
                settings[f"{prefix}.ssl.keystore.type"] = "PEM"
                settings[f"{prefix}.ssl.keystore.location"] = str(self.directory / f"{certificate}.both.pem")
            if name == "MUTUAL":
                settings[f"{prefix}.ssl.client.auth"] = "required"
                settings[f"{prefix}.ssl.truststore.type"] = "PEM"
                settings[f"{prefix}.ssl.truststore.location"] = str(self.directory / "ca.pem")
                settings[f"{prefix}.ssl.principal.mapping.rules"] = "RULE:^CN=(.*)$/$1/"
            if name == "OAUTH":
                login = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
                settings[f"{prefix}.sasl.enabled.mechanisms"] = "OAUTHBEARER"
                settings[f"{prefix}.oauthbearer.sasl.jaas.config"] = login
                settings[f"{prefix}.oauthbearer.connections.max.reauth.ms"] = "3600000"
            elif protocol.startswith("SASL"):
                login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                settings[f"{prefix}.sasl.enabled.mechanisms"] = "SCRAM-SHA-512"
                settings[f"{prefix}.scram-sha-512.sasl.jaas.config"] = login
        with self._config.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())

    def start(self) -> None:
        super().start()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})
        self.add_user(USER)

    def add_user(self, name: str) -> None:
        """Who may log in by SCRAM with PASSWORD."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        user = UserScramCredentialUpsertion(name, info, PASSWORD.encode())
        for done in self.admin.alter_user_scram_credentials([user]).values():
            done.result(30)

    def give(self, user: str, acls: Iterable[Acl]) -> None:
        """Let a user do what these ACLs say, and no more."""
        rules = [_rule(each.kind.upper(), each.name, one, user) for each in acls for one in each.operations]
        for done in self.admin.create_acls(rules).values():
            done.result(30)
        self._wait_until_known(rules, True)

    def address(self, listener: str) -> str:
        return f"127.0.0.1:{self._ports[listener]}"

    def file(self, name: str) -> str:
        return str(self.directory / name)

    def allow(self, kind: str, name: str, *operations: str) -> None:
        """Let USER do something with what has this name, or as a transactional id begins with it; `kind` is
        TOPIC, GROUP, TRANSACTIONAL_ID ..."""
        rules = [_rule(kind, name, each) for each in operations]
        for done in self.admin.create_acls(rules).values():
            done.result(30)
        self._wait_until_known(rules, True)

    def deny(self, kind: str, name: str, *operations: str) -> None:
        """Take back what `allow` gave."""
        rules = [_rule(kind, name, each) for each in operations]
        for done in self.admin.delete_acls([_filter(rule) for rule in rules]).values():
            assert done.result(30), "there was no such rule"
        self._wait_until_known(rules, False)

    def _wait_until_known(self, rules: list[AclBinding], there: bool) -> None:
        """The controller has taken the change; the broker that judges by it hears of it a moment later."""
        until = time.monotonic() + KNOWN_TIMEOUT_S
        for rule in rules:
            while bool(self.admin.describe_acls(_filter(rule)).result(30)) is not there:
                assert time.monotonic() < until, f"the broker did not hear of {rule}"
                time.sleep(0.02)


def _rule(kind: str, name: str, operation: str, user: str = USER) -> AclBinding:
    prefixed = kind == "TRANSACTIONAL_ID"
    pattern = ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL
    who, allow = f"User:{user}", AclPermissionType.ALLOW
    return AclBinding(ResourceType[kind], name, pattern, who, "*", AclOperation[operation], allow)


def _filter(rule: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        rule.restype, rule.name, rule.resource_pattern_type, rule.principal, rule.host, rule.operation,
        rule.permission_type,
    )  # fmt: skip
