"""Faust by the batch: durable, in order, and never a silent gap."""

from .app import EngineApp, run
from .failure import EngineError, Exit, FailStop
from .job import Arrival, Due, Headers, Job, Moment, Peek, Record, Unsent
from .lane import Lane
from .options import EngineOptions

__all__ = [
    "Arrival",
    "Due",
    "EngineApp",
    "EngineError",
    "EngineOptions",
    "Exit",
    "FailStop",
    "Headers",
    "Job",
    "Lane",
    "Moment",
    "Peek",
    "Record",
    "Unsent",
    "run",
]
