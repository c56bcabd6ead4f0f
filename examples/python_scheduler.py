#!/usr/bin/env python3
"""A scheduler in Python on the generated stubs alone: runs COUNT tasks and exits when all are done.

    examples/run_python.sh BUILD_FOLDER [--master unix:/path/to/socket,...] [--count 3]

It shows what any language needs: say hello, answer heartbeats, accept or decline every offer,
acknowledge every status that has a sequence number once it was handled; and when the leader changes,
find the next one, say hello under the same id and ask what became of the tasks.
"""
import argparse
import os
import queue
import sys
import time

import grpc

from proffer.v1 import scheduler_pb2, scheduler_pb2_grpc, task_pb2, types_pb2

ENDED = {
    task_pb2.FINISHED, task_pb2.FAILED, task_pb2.KILLED, task_pb2.ERROR, task_pb2.DROPPED,
    task_pb2.GONE, task_pb2.GONE_BY_OPERATOR, task_pb2.UNKNOWN,
}
CPUS = 100  # Thousandths.
MEM = 32 << 20  # Bytes.
GIVE_UP_S = 30  # Without a leader.


class Scheduler:
    def __init__(self, count):
        self.framework_id = ""  # Given by the master.
        self.call_id = 0
        self.todo = [f"python-{i}" for i in range(1, count + 1)]
        self.running = {}  # Task id -> id of the agent it was launched on.
        self.in_question = set()
        self.started = set()
        self.failed = 0

    def connect(self, stub):
        """A new stream. Calls that the former one did not carry are not sent again."""
        self.calls = queue.Queue()
        self.subscribed = False  # On this stream.
        self.call(subscribe=scheduler_pb2.Subscribe(
            version=types_pb2.Version(major=0, minor=1),
            framework=scheduler_pb2.FrameworkInfo(
                framework_id=self.framework_id, name="python", roles=["default"],
                ephemeral=True)))
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
                self.subscribed = True
                self.framework_id = event.subscribed.framework_id
                print("subscribed as", self.framework_id)
                self.in_question = set(self.running)
                self.reconcile()
            elif kind == "offers":
                for offer in event.offers.offers:
                    self.offered(offer)
            elif kind == "update":
                self.updated(event.update)
            elif kind == "heartbeat":
                self.call(answered=False, heartbeat=scheduler_pb2.HeartbeatAnswer())
                self.reconcile()
            elif kind == "result":
                for item in event.result.items:
                    # A new leader that cannot know a task yet is asked again.
                    if item.refusal and item.refusal != types_pb2.NOT_KNOWN_YET:
                        print("refused:", item.id, item.message, file=sys.stderr)
            elif kind == "error":
                # REMOVED is how the teardown that we asked for ends.
                if event.error.refusal == types_pb2.FRAMEWORK_REMOVED and self.done():
                    return self.failed
                print("the master ended the stream:", event.error.message, file=sys.stderr)
                return 1
            # Events of kinds that this program does not know are ignored.
        return 1 if not self.done() else self.failed

    def reconcile(self):
        if self.in_question:
            self.call(reconcile=scheduler_pb2.Reconcile(tasks=[
                scheduler_pb2.Reconcile.Task(task_id=task, agent_id=self.running[task])
                for task in self.in_question]))

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
            self.running[task.task_id] = offer.agent_id
            tasks.append(task)
        if tasks:
            self.call(accept=scheduler_pb2.Accept(offer_ids=[offer.id], tasks=tasks))
        else:
            self.call(decline=scheduler_pb2.Decline(offer_ids=[offer.id]))

    def updated(self, status):
        print(status.task_id, task_pb2.TaskState.Name(status.state), status.message)
        self.in_question.discard(status.task_id)
        if status.state not in ENDED and status.state != task_pb2.STAGING:
            self.started.add(status.task_id)
        if status.state in ENDED and status.task_id in self.running:
            del self.running[status.task_id]
            # Not there, and never heard of since it was accepted: then the accept was lost.
            lost = (status.state in (task_pb2.UNKNOWN, task_pb2.GONE) and not status.attempt.n
                    and status.task_id not in self.started)
            if status.state == task_pb2.DROPPED or lost:
                self.todo.append(status.task_id)
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
    parser.add_argument("--master", default=os.environ.get("PROFFER_MASTER"),
                        help="unix:/path or host:port, several by commas")
    parser.add_argument("--count", type=int, default=3)
    options = parser.parse_args()
    if not options.master:
        parser.error("no master is named: give --master or set PROFFER_MASTER")
    masters = options.master.split(",")
    scheduler = Scheduler(options.count)
    give_up = time.monotonic() + GIVE_UP_S
    while time.monotonic() < give_up:
        with grpc.insecure_channel(masters[0],
                                   options=[("grpc.enable_http_proxy", 0)]) as channel:
            scheduler.connect(scheduler_pb2_grpc.SchedulerServiceStub(channel))
            try:
                return 1 if scheduler.run() else 0
            except grpc.RpcError as error:
                print("the stream broke:", error.details(), file=sys.stderr)
                if scheduler.subscribed:  # It was well until now.
                    give_up = time.monotonic() + GIVE_UP_S
                # One that does not lead says who does; without a word another one is tried.
                leader = dict(error.trailing_metadata() or ()).get("proffer-leader")
                masters.append(masters.pop(0))
                if leader:
                    masters = [leader.split(",")[0]] + [m for m in masters if m != leader]
                time.sleep(0.2)
            finally:
                scheduler.calls.put(None)
    print("no master leads at", options.master, file=sys.stderr)
    return 1


if __name__ == "__main__":
    status = main()
    # Not sys.exit: on its way out Python stops gRPC's threads wherever they are, one that holds a
    # lock as well, and then waits for that lock for ever.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
