"""Stateful stream processing on Kafka by event time: at least once or exactly once, and never a silent gap.

The engine reads co-partitioned topics, merges them by event time, keeps a row of state per key, and writes
rows and other records (alerts, dead letters) back to Kafka. It knows nothing of customers. Faust runs the
consumer group and the agent, aiokafka reads, librdkafka writes.

How a worker is written (a complete one: tests/support/toy_app.py):

    options = EngineOptions("shop", "kafka:9092", inputs=("orders", "visits"), changelog="shop-rows")
    app = EngineApp(options, ShopCodec())

    @app.processor                                   # the one agent that may change rows
    async def keep(lanes):
        async for lane in lanes:                     # a lane is one partition number of all inputs
            for moment in lane.moments():            # in order of time by key; await between moments at most
                match moment:
                    case Arrival(key=key):           # an input record: .event .time_ms .topic .offset
                        row = lane.get(key)          # the live row, or None
                        ...                          # apply the event to it
                        lane.put(key, row)           # after every change
                        lane.send("alerts", key, alert, row=key)
                    case Timer(key, at_ms): ...      # the time has come that Codec.timer_ms named for the row
                    case Unsent(key): ...            # after a restart: send again what is in the row's outbox
            await lane.flush_if_due()

    run(app)                                         # until SIGTERM or SIGINT

Codec: the application's own part, a class with the methods of `Codec` (codec.py): `decode` for an input
record, `reject` for a batch that cannot be read, `decode_row` and `encode_row` for a row, `timer_ms` for a
row's next timer, `peek` and `applied` for a start.

Guarantees: an offset is committed only when every row and record that came of the input before it was
acknowledged. After a crash the input since the last commit comes again, and some rows are ahead of it
already. The application therefore follows three rules:

1.  A row keeps, per topic, the next offset that it has not applied, and ignores arrivals with a lower offset.
2.  A record that it sends with `row=key` it also keeps in that row, in the outbox, with the number of the
    flush: `row.outbox_flush = lane.flush_number` (reported by `Codec.peek`). At the next change of the row it
    empties the outbox if `row.outbox_flush <= lane.committed_flush`. After a restart `Unsent` names the rows
    whose outbox was not committed. With `guarantee="exactly_once"` row and records are in one transaction,
    and `Unsent` never comes. A record in no outbox, such as a dead letter, leaves with its input's offset.
3.  A row that is no longer needed is removed with `lane.delete_after(key, row, row.applied)`: its tombstone
    is written when the input that it has applied is committed.

4.  A record that follows from a row alone, whatever led to it, is made when the row is written:
    `lane.write_beside` (from `app.on_recovered`) names who is given each row of a batch before it is encoded;
    what that returns is in the batch. The row remembers what was sent, and the flush, as in rule 2:
    `Codec.peek` names the later of the two.

Instants: arrivals of one key with the same `order_ms`, the event time by which the inputs are merged, follow
each other as far as Kafka has them. All but the last have `more` set. An application for which their order
must not matter collects them, orders them itself and applies them together; rule 1 then goes by the offsets
that the row had before.

Time: timers and the order of moments are event time. Those of one key come in its order. In a live lane
timers of other keys take turns with arrivals, so that very many of one instant delay nobody; an arrival
that is `for_all` comes after all that are due (task/due_timers.py). With `clock="event"` only arrivals move
the clock; with `clock="wall"` the wall clock does too, in a lane that is live and has read all its input.
In a history, whose records arrive long after their event times, a lane goes by its own arrivals, whatever
other lanes have read, and by those of the whole group once nothing arrives for `history_quiet_s`
(task/lane_clock.py). The clock never gets more than `stall_after_ms` ahead of the `reference` topic, the
one that normally never pauses: what is further ahead is held, and `lane.stalled` is true. A tick, an
arrival with `complete_to_ms` on the topic `ticks`, says that the reference topic is complete until then. A
topic of which Kafka has more is waited for, at most `max_idle_s` without a record (then `app.on_give_up` is
called with its name); a topic that was read to its end is waited for at most `merge_wait_s`, or in a
history until it pauses for so long.

Topics: all must exist. The inputs and the changelog have equal numbers of partitions; the changelog is
compacted. Each input key is in the same partition number of every input.

Failures: an exception in the agent, a failed write, partitions that another worker owns now, records that
Kafka no longer has: the process ends with a status of `Exit` and one line that says why, and nothing of the
flush under way is committed. `app.fail` is the function that ends it; tests replace it.

Rooms, from the top: run, app, output (flush and commit), input (consumer, no gaps), start (start offsets),
task (a lane: merge, clock, batch), state (rows, timers, recovery). Each imports only from those after it.
"""

from stream.engine.app import EngineApp
from stream.engine.codec import Arrival, Codec, Headers, Moment, Peek, Record, Timer, UnreadBatch, Unsent
from stream.engine.failure import EngineError, Exit, FailStop
from stream.engine.options import EngineOptions
from stream.engine.run import run
from stream.engine.task.batch import BesideRow, Outgoing
from stream.engine.task.lane import Lane

__all__ = [
    "Arrival",
    "BesideRow",
    "Codec",
    "EngineApp",
    "EngineError",
    "EngineOptions",
    "Exit",
    "FailStop",
    "Headers",
    "Lane",
    "Moment",
    "Outgoing",
    "Peek",
    "Record",
    "Timer",
    "UnreadBatch",
    "Unsent",
    "run",
]
