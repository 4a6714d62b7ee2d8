"""Settings that leave to Faust the membership and the agents, and nothing of tables, topics and commits."""

from __future__ import annotations

from typing import Any

import faust

from stream.engine.options import EngineOptions


class DeliverySchema(faust.Schema[Any, Any]):
    """The value of a message is a lane (input/transport.py): there is nothing to decode."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> None:
        return None

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        return message.value


def faust_settings(options: EngineOptions) -> dict[str, Any]:
    """Faust's settings for these options."""
    return {
        "broker": ";".join(f"kafka://{each.strip()}" for each in options.bootstrap.split(",")),
        "autodiscover": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "reply_create_topic": False,
        "table_standby_replicas": 0,
        "stream_wait_empty": False,
        "web_enabled": False,
        "web_port": options.web_port,
        "broker_request_timeout": max(60.0, options.session_timeout_s),
        "broker_session_timeout": options.session_timeout_s,
        "worker_redirect_stdouts": False,
        **options.faust,
    }
