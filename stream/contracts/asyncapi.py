"""Writes schemas/asyncapi.yaml: topics, keys and messages as one AsyncAPI 3.1 document.

The messages refer to the newest schema files in the same folder; nothing is copied from them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream import __version__
from stream.contracts.export import next_version
from stream.contracts.registry import Contract, contracts

DOCUMENT = "asyncapi.yaml"
BINDING = "0.5.0"

TOPICS = {
    "purchases": "What customers bought, sent back and cancelled.",
    "engagement": "Visits, products looked at, messages opened, loyalty and promotions.",
    "feedback": "Reviews, surveys, tickets and complaints.",
    "control": "Identity, consent and erasure, marketing cost, actions on alerts, models and policies.",
    "alerts": "Explained alerts: raised, escalated, cleared, expired, retracted.",
    "alerts.shadow": "Alerts of a shadow policy, tried beside the one in force: act on none of them.",
    "deliveries": "What became of each alert at each endpoint of `stream deliver`.",
    "profiles": "The newest profile of each customer; compacted, a null value deletes. Keys that begin with "
    "a NUL byte (models and policies, a change of writer) and the header `epoch` are for the workers.",
    "profiles.view": "Profiles for other programs, with STREAM_PROFILES_VIEW=on: the newest of each "
    "customer, written when what it says has changed; compacted, a null value deletes. CloudEvents binary "
    "mode: the value is the data, the headers `ce_*` are its attributes, and it holds as of `ce_time`.",
}
COMPACTED = {"profiles", "profiles.view"}
"""Their values are no envelopes."""


def asyncapi_document(root: Path) -> str:
    """The AsyncAPI document as YAML text."""
    known = contracts()
    topics = [topic for topic in TOPICS if any(topic in contract.topics for contract in known)]
    whole = {
        "asyncapi": "3.1.0",
        "info": {
            "title": "customer-stream",
            "version": __version__,
            "description": "Customer events in; profiles and explained alerts out. Events and alerts are "
            "CloudEvents 1.0 JSON, structured; input may be in binary mode as well. The key is the UTF-8 "
            "customer id, partitioned by Java's murmur2.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic: _channel(topic, known) for topic in topics},
        "operations": {
            f"{'receive' if contract.direction == 'in' else 'send'}_{topic}": {
                "action": "receive" if contract.direction == "in" else "send",
                "channel": {"$ref": f"#/channels/{topic}"},
            }
            for contract in known
            for topic in contract.topics
        },
        "components": {"messages": {_slug(c): _message(root, c) for c in known}},
    }
    return "\n".join(_yaml(whole, "")) + "\n"


def _channel(topic: str, known: tuple[Contract, ...]) -> dict[str, Any]:
    here = [contract for contract in known if topic in contract.topics]
    policy = "compact" if topic in COMPACTED else "delete"
    return {
        "address": f"customers.{topic}.v1",
        "description": TOPICS[topic],
        "messages": {_slug(c): {"$ref": f"#/components/messages/{_slug(c)}"} for c in here},
        "bindings": {
            "kafka": {
                "topic": f"customers.{topic}.v1",
                "topicConfiguration": {"cleanup.policy": [policy], "retention.ms": -1},
                "bindingVersion": BINDING,
            }
        },
    }


def _message(root: Path, contract: Contract) -> dict[str, Any]:
    file = f"./{contract.name}/{next_version(root, contract)}.json"
    return {
        "name": contract.name,
        "summary": contract.meaning,
        "contentType": "application/json" if contract.topic in COMPACTED else "application/cloudevents+json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": file},
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "The envelope's subject: the customer's id."},
                "bindingVersion": BINDING,
            }
        },
    }


def _slug(contract: Contract) -> str:
    return contract.name.replace(".", "_")


def _yaml(value: Any, indent: str) -> list[str]:
    """Lines of YAML: maps in block style, lists and scalars as JSON, which YAML reads the same way."""
    lines = []
    for name, part in value.items():
        key = name if name.replace("_", "").isalnum() else json.dumps(name)
        if isinstance(part, dict):
            lines += [f"{indent}{key}:", *_yaml(part, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(part, ensure_ascii=False)}")
    return lines
