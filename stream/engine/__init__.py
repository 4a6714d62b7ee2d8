"""Faust by the batch: durable, in order, and never a silent gap. It knows nothing of customers.

How to write a worker on it (tests/support/toy_app.py is a whole one):

    app = EngineApp(EngineOptions(app_id=..., bootstrap=..., inputs=(...), changelog=...), MyCodec())

    @app.processor                               # the one agent that touches rows
    async def keep(deliveries):
        async for lane in deliveries:            # one partition number of all inputs
            for moment in lane.moments():        # in order of event time; no await inside this loop
                match moment:
                    case Arrival():     ...      # moment.key, .event, .time_ms, .topic, .partition, .offset
                    case Timer(key, at_ms): ...  # the row asked for it by Codec.timer_ms; put it to ask anew
                    case Unsent(key):   ...      # after a crash: the row's outbox may not have gone out
                row = lane.get(key)              # the live row, or None
                lane.put(key, row)               # after every change; lane.delete_after(...) forgets it
                lane.send(topic, key, value, headers=None, partition=None, row=None)
            await lane.flush_if_due()

    run(app)                                     # until SIGTERM or SIGINT

`Codec` (codec.py) is the plug-in: decode, decode_row, encode_row, timer_ms, peek. `decode` gives an Arrival
for bad input too (with the rejection as its event and time_ms=None), so that its dead letter is accounted to
its offset; None passes a record by. An Arrival with `complete_to_ms` on the topic `options.ticks` tells that
no input before that time is still to come; as any arrival it also moves the clock to its own time.

What holds: when an offset is committed, all rows and records of what was given out before it were
acknowledged. After a crash records come again, and rows may be ahead of them: a row keeps the next offset
applied per topic and drops what is older. An alert stays in its row's outbox: send it with `row=key`, and
note `row.outbox_flush = lane.flush_number`; at the next change forget the outbox if
`row.outbox_flush <= lane.committed_flush`. `Unsent` names recovered rows with an outbox that was not
committed. Under `exactly_once` a row, what it remembers and the number of their flush are one transaction,
and no Unsent ever comes; what no row remembers is in the transaction that commits its offset.

Time: `clock="event"` moves with arrivals and ticks only; `clock="wall"` follows the wall while input is
current. Neither runs ahead of the `reference` topic by more than `stall_after_ms`; `lane.stalled` says that
input is held for that reason. A topic with more to come is waited for, while it is silent at most
`max_idle_s` (then `app.on_give_up` is told); one that was read to its end, at most `merge_wait_s`.

An exception in the agent, a failed write, lost partitions, a gap that Kafka cannot fill: the process ends
with a status of `Exit` and a line that says why. Nothing of it is committed. `app.fail` can be replaced.
"""

from stream.engine.app import EngineApp
from stream.engine.codec import Arrival, Codec, Headers, Moment, Peek, Record, Timer, Unsent
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.options import EngineOptions
from stream.engine.run import run
from stream.engine.task.lane import Lane

__all__ = [
    "Arrival",
    "Codec",
    "EngineApp",
    "EngineError",
    "EngineOptions",
    "Exit",
    "FailStop",
    "Headers",
    "Lane",
    "Moment",
    "Peek",
    "Record",
    "Timer",
    "Unsent",
    "run",
]
