import { describe, expect, test } from "vitest";
import type { Strategy } from "../../src/kernel/index.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  type Situation,
  adapter,
  allows,
  binding,
  breaks,
  call,
  early,
  inParallel,
  isEvent,
  later,
  pause,
  pending,
  queuesSends,
  runOnce,
  settle,
  started,
  takenDown,
  unbind,
  wait,
} from "./support.ts";

/** Answers PENDING and leaves it at that. */
const forgets =
  (handler: string): Change =>
  () => ({ [handler]: () => PENDING });

/** Answers PENDING and completes a second later. */
const completesLate =
  (handler: string): Change =>
  (d, its) => {
    const kept = d.statics(8);
    const word = (index: number): number => d.memory.readU32(kept + 4 * index);
    return {
      *[handler](first: number, second: number) {
        d.memory.writeU32(kept, first);
        d.memory.writeU32(kept + 4, second);
        yield* later(d, "CompleteLater", 0);
        return PENDING;
      },
      *CompleteLater(_context, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* d.NdisMSleep(1_000_000);
        const status = yield* its.inherited(handler, word(0), word(1));
        if (handler === "MiniportPause") yield* d.NdisMPauseComplete(d.memory.readU32(word(0) + adapter.handle));
        if (handler === "MiniportRestart") yield* d.NdisMRestartComplete(d.memory.readU32(word(0) + adapter.handle), status);
        if (handler === "ProtocolNetPnPEvent") {
          yield* d.NdisCompleteNetPnPEvent(d.memory.readU32(word(0) + binding.handle), word(1), status);
        }
      },
    };
  };

describe("An operation that pended and is never completed", () => {
  breaks("bind-pending-must-complete", "a bind", {
    by: PROTOCOL,
    says: /NdisCompleteBindAdapterEx was never called, though ProtocolBindAdapterEx answered NDIS_STATUS_PENDING/,
    protocol: forgets("ProtocolBindAdapterEx"),
    actions: started,
    ends: "hung",
  });
  allows("bind-pending-must-complete", "a bind that is completed when the open is complete", { actions: started });

  breaks("unbind-pending-must-complete", "an unbind", {
    by: PROTOCOL,
    says: /NdisCompleteUnbindAdapterEx was never called, though ProtocolUnbindAdapterEx answered NDIS_STATUS_PENDING/,
    protocol: () => ({ ProtocolCloseAdapterCompleteEx() {} }),
    actions: [...started, unbind],
    answers: [pending, early],
    ends: "hung",
  });
  allows("unbind-pending-must-complete", "an unbind that is completed when the close is complete", {
    actions: [...started, unbind],
  });

  breaks("oid-pending-must-complete", "an OID request of a protocol", {
    by: MINIPORT,
    says: /NdisMOidRequestComplete was never called, though MiniportOidRequest answered NDIS_STATUS_PENDING.*ProtocolNetPnPEvent/,
    miniport: forgets("MiniportOidRequest"),
    actions: started,
    ends: "hung",
  });

  breaks("oid-pending-must-complete", "an OID request of NDIS itself, when a binding is closed", {
    by: MINIPORT,
    says: /NdisMOidRequestComplete was never called/,
    // The protocol does not clear its packet filter: NDIS tells the miniport.
    stock: [PROTOCOL],
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(_unbindContext, context) {
        yield* d.NdisCloseAdapterEx(d.memory.readU32(context + binding.handle));
        return SUCCESS;
      },
    }),
    miniport: (d, its) => {
      const requests = d.statics(4);
      return {
        *MiniportOidRequest(context, request) {
          d.memory.writeU32(requests, d.memory.readU32(requests) + 1);
          if (d.memory.readU32(requests) > 1) return PENDING;
          return yield* its.inherited("MiniportOidRequest", context, request);
        },
      };
    },
    actions: [...started, unbind],
    ends: "hung",
  });
  allows("oid-pending-must-complete", "an OID request that is completed a second later", {
    miniport: (d, its) => ({
      *MiniportOidRequest(_context, request) {
        yield* later(d, "CompleteLater", request);
        return PENDING;
      },
      *CompleteLater(request, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* d.NdisMSleep(1_000_000);
        const status = yield* its.inherited("MiniportOidRequest", 0, request);
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, status);
      },
    }),
  });

  breaks("pnp-event-pending-complete", "NetEventPause", {
    by: PROTOCOL,
    says: /NdisCompleteNetPnPEvent was never called, though ProtocolNetPnPEvent answered NDIS_STATUS_PENDING/,
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, "NetEventPause")) return PENDING;
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    }),
    actions: [...started, pause],
    ends: "hung",
  });
  allows("pnp-event-pending-complete", "NetEventPause that is completed a second later", {
    protocol: (d, its) => {
      const late = completesLate("ProtocolNetPnPEvent")(d, its);
      return {
        ...late,
        ProtocolNetPnPEvent: (context, event) =>
          isEvent(d, event, "NetEventPause")
            ? late.ProtocolNetPnPEvent?.(context, event)
            : its.right.ProtocolNetPnPEvent?.(context, event),
      };
    },
  });

  breaks("mp-pause-complete-required", "a pause of a miniport", {
    by: MINIPORT,
    says: /NdisMPauseComplete was never called, though MiniportPause answered NDIS_STATUS_PENDING/,
    miniport: forgets("MiniportPause"),
    actions: [...started, pause],
    ends: "hung",
  });
  allows("mp-pause-complete-required", "a pause that is completed a second later", { miniport: completesLate("MiniportPause") });

  breaks("mp-restart-complete-required", "a restart of a miniport", {
    by: MINIPORT,
    says: /NdisMRestartComplete was never called, though MiniportRestart answered NDIS_STATUS_PENDING/,
    miniport: forgets("MiniportRestart"),
    actions: started,
    ends: "hung",
  });
  allows("mp-restart-complete-required", "a restart that is completed a second later", {
    miniport: completesLate("MiniportRestart"),
  });
});

describe("Sends that are never completed", () => {
  const neverCompletes: Situation = { miniport: queuesSends, actions: [...started, call(PROTOCOL, "Exercise"), pause] };

  breaks("send-miniport-complete", "the miniport is accused, not the protocol whose pause waits for them", {
    ...neverCompletes,
    by: MINIPORT,
    says: /NdisMSendNetBufferListsComplete was never called for 3 lists that were sent/,
    ends: "hung",
  });

  breaks("send-miniport-complete", "the miniport is accused when the protocol is a counterpart", {
    ...neverCompletes,
    stock: [PROTOCOL],
    by: MINIPORT,
    says: /NdisMSendNetBufferListsComplete was never called for 3 lists that were sent/,
    ends: "hung",
  });
});

describe("A thread that waits for an event that nobody sets", () => {
  breaks("hung", "the message says which thread, in which handler, for what", {
    by: PROTOCOL,
    says: /thread \d+ in ScenarioFunction \(WaitForEver\) waits in NdisWaitEvent\(0x[0-9a-f]+\)/,
    protocol: (d) => ({
      *WaitForEver() {
        const event = d.statics(16);
        yield* d.NdisInitializeEvent(event);
        yield* d.NdisWaitEvent(event, 0);
      },
    }),
    actions: [...started, call(PROTOCOL, "WaitForEver")],
    ends: "hung",
  });

  breaks("hung", "the message says who waits for a lock, and what the thread that has it waits for", {
    by: PROTOCOL,
    says: /in ScenarioFunction \(WantLock\) waits for the spin lock at 0x[0-9a-f]+, which thread (\d+) has.*thread \1 in ScenarioFunction \(WaitWithLock\) waits in NdisWaitEvent/,
    also: ["waitevent-irql"],
    protocol: (d, its) => ({
      *WaitWithLock() {
        const event = d.statics(16);
        yield* d.NdisInitializeEvent(event);
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* d.NdisWaitEvent(event, 0);
      },
      *WantLock() {
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
      },
    }),
    actions: [...started, inParallel(call(PROTOCOL, "WaitWithLock")), wait(10), call(PROTOCOL, "WantLock")],
    ends: "hung",
  });

  allows("hung", "a wait with a time-out ends", {
    protocol: (d) => ({
      *WaitShortly() {
        const event = d.statics(16);
        yield* d.NdisInitializeEvent(event);
        yield* d.NdisWaitEvent(event, 100);
      },
    }),
    actions: [...started, call(PROTOCOL, "WaitShortly"), ...takenDown],
  });

  allows("hung", "an event is set by a thread that is started later", {
    protocol: (d, its) => ({
      *WaitForOther() {
        yield* d.NdisInitializeEvent(its.context() + binding.ready);
        yield* d.NdisWaitEvent(its.context() + binding.ready, 0);
      },
      *SetIt() {
        yield* d.NdisSetEvent(its.context() + binding.ready);
      },
    }),
    actions: [...started, inParallel(call(PROTOCOL, "WaitForOther")), wait(10), call(PROTOCOL, "SetIt"), settle, ...takenDown],
  });
});

describe("Deadlocks", () => {
  breaks("deadlock", "a thread acquires a spin lock that it has", {
    by: PROTOCOL,
    says: /thread (\d+) in ScenarioFunction \(LockTwice\) waits for the spin lock at 0x[0-9a-f]+, which thread \1 has/,
    protocol: (d, its) => ({
      *LockTwice() {
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
      },
    }),
    actions: [...started, call(PROTOCOL, "LockTwice")],
    ends: "hung",
  });

  allows("deadlock", "a thread acquires a spin lock again when it has released it", {
    protocol: (d, its) => ({
      *LockAgain() {
        for (const lock of [its.context() + binding.lock, its.context() + binding.lock]) {
          yield* d.NdisAcquireSpinLock(lock);
          yield* d.NdisReleaseSpinLock(lock);
        }
      },
    }),
    actions: [...started, call(PROTOCOL, "LockAgain"), ...takenDown],
  });

  /** Two threads that take two locks, each in its own order. */
  const twoLocks = (second: "AB" | "BA"): Situation => ({
    protocol: (d) => {
      const locks = { A: d.statics(8), B: d.statics(8) };
      function* take(first: "A" | "B", other: "A" | "B") {
        yield* d.NdisAcquireSpinLock(locks[first]);
        yield* d.NdisDprAcquireSpinLock(locks[other]);
        yield* d.NdisDprReleaseSpinLock(locks[other]);
        yield* d.NdisReleaseSpinLock(locks[first]);
      }
      return { TakeAB: () => take("A", "B"), TakeBA: () => take("B", "A") };
    },
    actions: [...started, inParallel(call(PROTOCOL, "TakeAB")), call(PROTOCOL, `Take${second}`), settle],
  });

  /** Switches to another thread wherever it can, from the first call of the scenario's functions on. */
  const alternates = (): Strategy => ({
    choose: (count, what) => (what === "schedule" ? count - 1 : 0),
    preempts: true,
    parksAlways: false,
  });

  test("deadlock: two threads take two locks in opposite order, and the message says who has what", () => {
    const { outcome, findings } = runOnce(twoLocks("BA"), alternates);
    expect(outcome.kind).toBe("hung");
    expect(findings.map(({ rule, driver }) => ({ rule, driver }))).toEqual([{ rule: "deadlock", driver: PROTOCOL }]);
    expect(findings[0]?.message).toMatch(
      /thread (\d+) in ScenarioFunction \((TakeAB|TakeBA)\) waits for the spin lock at 0x([0-9a-f]+), which thread (\d+) has; thread \4 in ScenarioFunction \((TakeAB|TakeBA)\) waits for the spin lock at 0x(?!\3)[0-9a-f]+, which thread \1 has/,
    );
  });

  test("deadlock: two threads take two locks in the same order, and both come to their end", () => {
    const { outcome, findings } = runOnce(twoLocks("AB"), alternates);
    expect(findings).toEqual([]);
    expect(outcome.kind).toBe("finished");
  });

  test("deadlock: opposite order, one thread after the other", () => {
    const { outcome, findings } = runOnce(twoLocks("BA"), () => ({ ...alternates(), preempts: false }));
    // The order alone is a mistake, and no deadlock.
    expect(findings.map(({ rule }) => rule)).toEqual(["lock-order"]);
    expect(outcome.kind).toBe("finished");
  });

  breaks("lock-order", "two locks are taken in opposite order, one after the other", {
    ...twoLocks("BA"),
    by: PROTOCOL,
    says: /was acquired in TakeBA while the lock at 0x[0-9a-f]{8} was held; they were acquired the other way round in TakeAB/,
    actions: [...started, call(PROTOCOL, "TakeAB"), call(PROTOCOL, "TakeBA"), ...takenDown],
  });

  allows("lock-order", "two locks are taken in the same order twice", {
    ...twoLocks("AB"),
    actions: [...started, call(PROTOCOL, "TakeAB"), call(PROTOCOL, "TakeAB"), ...takenDown],
  });
});
