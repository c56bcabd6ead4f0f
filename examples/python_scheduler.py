#!/usr/bin/env python3
"""A scheduler in Python on the generated stubs alone: runs COUNT tasks and exits when all are done.

    examples/run_python.sh BUILD_FOLDER [--master unix:/path/to/socket] [--count 3]

It shows what any language needs: say hello, answer heartbeats, accept or decline every offer, and
acknowledge every status that has a sequence number once it was handled.
"""
import argparse
import os
import queue
import sys

import grpc

from proffer.v1 import scheduler_pb2, scheduler_pb2_grpc, task_pb2, types_pb2

ENDED = {
    task_pb2.FINISHED, task_pb2.FAILED, task_pb2.KILLED, task_pb2.ERROR, task_pb2.DROPPED,
    task_pb2.GONE, task_pb2.GONE_BY_OPERATOR,
}
CPUS = 100  # Thousandths.
MEM = 32 << 20  # Bytes.


class Scheduler:
    def __init__(self, stub, count):
        self.calls = queue.Queue()
        self.call_id = 0
        self.todo = [f"python-{i}" for i in range(1, count + 1)]
        self.running = set()
        self.failed = 0
        self.call(subscribe=scheduler_pb2.Subscribe(
            version=types_pb2.Version(major=0, minor=1),
            framework=scheduler_pb2.FrameworkInfo(
                name="python", roles=["default"], ephemeral=True)))
        # The iterator feeds the stream; None ends it.
        self.events = stub.Connect(iter(self.calls.get, None))

    def call(self, answered=True, **call):
        """Queues one call; those that have a result carry a number."""
        if answered:
            self.call_id += 1
            call["call_id"] = self.call_id
        self.calls.put(scheduler_pb2.SchedulerCall(**call))

    def run(self):
        for event in self.events:
            kind = event.WhichOneof("event")
            if kind == "subscribed":
                print("subscribed as", event.subscribed.framework_id)
            elif kind == "offers":
                for offer in event.offers.offers:
                    self.offered(offer)
            elif kind == "update":
                self.updated(event.update)
            elif kind == "heartbeat":
                self.call(answered=False, heartbeat=scheduler_pb2.HeartbeatAnswer())
            elif kind == "result":
                for item in event.result.items:
                    if item.refusal:
                        print("refused:", item.id, item.message, file=sys.stderr)
            elif kind == "error":
                # REMOVED is how the teardown that we asked for ends.
                if event.error.refusal == types_pb2.FRAMEWORK_REMOVED and self.done():
                    return self.failed
                print("the master ended the stream:", event.error.message, file=sys.stderr)
                return 1
            # Events of kinds that this program does not know are ignored.
        return 1 if not self.done() else self.failed

    def done(self):
        return not self.todo and not self.running

    def offered(self, offer):
        left = {r.name: r.scalar for r in offer.resources if r.WhichOneof("value") == "scalar"
                and not r.reservations and not r.HasField("disk") and not r.revocable}
        tasks = []
        while self.todo and left.get("cpus", 0) >= CPUS and left.get("mem", 0) >= MEM:
            left["cpus"] -= CPUS
            left["mem"] -= MEM
            task = task_pb2.TaskSpec(task_id=self.todo.pop(0))
            task.resources.add(name="cpus", scalar=CPUS)
            task.resources.add(name="mem", scalar=MEM)
            task.payload.command.argv.extend(["/bin/echo", "hello from python"])
            self.running.add(task.task_id)
            tasks.append(task)
        if tasks:
            self.call(accept=scheduler_pb2.Accept(offer_ids=[offer.id], tasks=tasks))
        else:
            self.call(decline=scheduler_pb2.Decline(offer_ids=[offer.id]))

    def updated(self, status):
        print(status.task_id, task_pb2.TaskState.Name(status.state), status.message)
        if status.state in ENDED and status.task_id in self.running:
            self.running.remove(status.task_id)
            if status.state == task_pb2.DROPPED:
                self.todo.append(status.task_id)  # It never started.
            elif status.state != task_pb2.FINISHED:
                self.failed += 1
        if status.sequence:
            self.call(answered=False, acknowledge=scheduler_pb2.Acknowledge(
                task_id=status.task_id, agent_id=status.agent_id, attempt=status.attempt,
                sequence=status.sequence))
        if self.done():
            self.call(teardown=scheduler_pb2.Teardown())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--master", default=os.environ.get("PROFFER_MASTER"))
    parser.add_argument("--count", type=int, default=3)
    options = parser.parse_args()
    if not options.master:
        parser.error("no master is named: give --master or set PROFFER_MASTER")
    with grpc.insecure_channel(options.master, options=[("grpc.enable_http_proxy", 0)]) as channel:
        scheduler = Scheduler(scheduler_pb2_grpc.SchedulerServiceStub(channel), options.count)
        try:
            return 1 if scheduler.run() else 0
        except grpc.RpcError as error:
            print("the stream broke:", error.details(), file=sys.stderr)
            return 1
        finally:
            scheduler.calls.put(None)


if __name__ == "__main__":
    sys.exit(main())
