"""Writes events.tfevents with TensorBoard's own protocol buffers and record writer.

pip install tensorboard  (2.21 was used), then: python3 tensorboard_events.py
The test in esgd-cli/src/tensorboard.rs writes the same events and compares the bytes; it also holds that
TensorBoard's reader finds them, since its writer made them.
"""

import io
import pathlib

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

out = io.BytesIO()
writer = RecordWriter(out)
writer.write(Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString())
for step, seconds, values in [
    (0, 0.25, [("a", 1.5), ("b/c", -2.0)]),
    (300, 12.5, [("a", 0.1)]),
]:
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=number) for tag, number in values])
    writer.write(Event(wall_time=seconds, step=step, summary=summary).SerializeToString())
pathlib.Path(__file__).with_name("events.tfevents").write_bytes(out.getvalue())
