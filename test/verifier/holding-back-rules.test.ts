/** What protocols hold back: receives of a binding that pauses, calls while the adapter is reset, waits while the device goes to sleep. */
import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import { powered } from "./powered.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  atOnce,
  binding,
  breaks,
  call,
  inParallel,
  indicates,
  invoke,
  isEvent,
  keepsReceives,
  later,
  pause,
  queuesSends,
  reset,
  restart,
  sendOne,
  settle,
  started,
  takenDown,
  wait,
} from "./support.ts";

describe("Receives of a binding that pauses", () => {
  /** The pause pends for a while. */
  const pausesSlowly =
    (receives: Change): Change =>
    (d, its) => {
      const changed = receives(d, its);
      return {
        ...changed,
        *ProtocolNetPnPEvent(context, event) {
          const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
          if (!isEvent(d, event, "NetEventPause")) return status;
          yield* later(d, "PausedLater", event);
          return PENDING;
        },
        *PausedLater(event, item) {
          yield* d.NdisFreeIoWorkItem(item);
          yield* d.NdisMSleep(50_000);
          if (changed["ReturnAll"] !== undefined) yield* invoke(d, changed, "ReturnAll");
          yield* d.NdisCompleteNetPnPEvent(its.get(binding.handle), event, SUCCESS);
        },
      };
    };
  const actions = [...started, inParallel(wait(20), call(MINIPORT, "Inject")), pause, restart, settle, ...takenDown];

  breaks("binding-pause-return-receives", "are kept until the pause is over", {
    by: PROTOCOL,
    says: /kept 1 list\(s\) of a binding that pauses/,
    protocol: pausesSlowly(keepsReceives),
    miniport: indicates,
    actions,
  });

  allows("binding-pause-return-receives", "are returned at once", {
    protocol: pausesSlowly(() => ({})),
    miniport: indicates,
    actions,
  });

  allows("binding-pause-return-receives", "those that came before the driver was told may be kept, until it has returned them", {
    protocol: pausesSlowly(keepsReceives),
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), pause, restart, settle, ...takenDown],
  });
});

describe("While its adapter is reset, a protocol", () => {
  const makeMiniport = miniportRegisteredWith((d) => ({ ResetHandlerEx: d.handler("MiniportResetEx") }));
  const pendsReset: Change = (d, its) => ({
    ...indicates(d, its),
    MiniportResetEx: () => PENDING,
    *Finish() {
      yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
    },
  });
  const sends: Change = (d, its) => ({
    *Send() {
      yield* sendOne(d, its.context());
    },
    *SendSoon() {
      yield* d.NdisMSleep(20_000);
      yield* sendOne(d, its.context());
    },
  });
  const inReset = (...actions: Action[]): Action[] => [
    ...started,
    call(MINIPORT, "Inject"),
    inParallel(reset),
    wait(1),
    ...actions,
    call(MINIPORT, "Finish"),
    settle,
    ...takenDown,
  ];

  breaks("mp-reset-protocol-holds", "sends", {
    by: PROTOCOL,
    says: /NdisSendNetBufferLists was called after NDIS_STATUS_RESET_START/,
    makeMiniport,
    miniport: pendsReset,
    protocol: sends,
    actions: inReset(call(PROTOCOL, "Send")),
  });

  allows("mp-reset-protocol-holds", "sends what was on its way, and returns what it has received", {
    makeMiniport,
    miniport: pendsReset,
    protocol: (d, its) => ({ ...sends(d, its), ...keepsReceives(d, its) }),
    actions: [
      ...started,
      call(MINIPORT, "Inject"),
      inParallel(call(PROTOCOL, "SendSoon")),
      inParallel(reset),
      wait(1),
      call(PROTOCOL, "ReturnAll"),
      wait(50),
      call(MINIPORT, "Finish"),
      settle,
      call(PROTOCOL, "Send"),
      settle,
      ...takenDown,
    ],
    answers: [atOnce],
  });
});

describe("When the device is to sleep, a protocol", () => {
  const sleep: Action = { do: "power", adapter: 0, state: "D3" };
  const wake: Action = { do: "power", adapter: 0, state: "D0" };
  const of = (MinorNdisVersion: number) => protocolRegisteredWith(() => ({ MinorNdisVersion }));
  /** Waits in that event until its sends are complete. */
  const waitsIn =
    (name: "NetEventSetPower" | "NetEventQueryPower"): Change =>
    (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, name)) {
          while (its.get(binding.sends) > 0) yield* d.NdisMSleep(10_000);
        }
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    });
  const actions = [
    ...started,
    call(PROTOCOL, "Exercise"),
    inParallel(wait(25), call(MINIPORT, "CompleteSends")),
    sleep,
    wake,
    settle,
    ...takenDown,
  ];

  for (const name of ["NetEventSetPower", "NetEventQueryPower"] as const) {
    breaks("pnp-set-power-no-wait", `waits in ${name} for what it has sent`, {
      by: PROTOCOL,
      says: /NdisMSleep was called in ProtocolNetPnPEvent for an event of power, with 3 sends/,
      makeProtocol: of(30),
      protocol: waitsIn(name),
      miniport: powered(queuesSends),
      actions,
    });
  }

  allows("pnp-set-power-no-wait", "of an NDIS before 6.30 waits", {
    makeProtocol: of(20),
    protocol: waitsIn("NetEventSetPower"),
    miniport: powered(queuesSends),
    actions,
  });

  allows("pnp-set-power-no-wait", "waits when it is told to pause", {
    makeProtocol: of(30),
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const isPause = isEvent(d, event, "NetEventPause");
        while (isPause && its.get(binding.sends) > 0) yield* d.NdisMSleep(10_000);
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    }),
    miniport: powered(queuesSends),
    actions,
  });

  breaks("pnp-query-power-succeed", "fails NetEventQueryPower", {
    by: PROTOCOL,
    says: /NetEventQueryPower was completed with 0xc0000001/,
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
        return isEvent(d, event, "NetEventQueryPower") ? "NDIS_STATUS_FAILURE" : status;
      },
    }),
    miniport: powered(),
    actions: [...started, sleep, wake, settle, ...takenDown],
  });

  allows("pnp-query-power-succeed", "succeeds it", {
    miniport: powered(),
    actions: [...started, sleep, wake, settle, ...takenDown],
  });
});

describe("NDIS watches over how long a protocol takes", () => {
  const SECOND = 1_000_000;
  const takes =
    (name: string, seconds: number): Change =>
    (d, its) => ({
      *[name](...args: number[]) {
        if (name !== "ProtocolNetPnPEvent" || isEvent(d, args[1] ?? 0, "NetEventPause")) yield* d.NdisMSleep(seconds * SECOND);
        return yield* its.inherited(name, ...args);
      },
    });
  const actions = [...started, { do: "unbind", adapter: 0, driver: PROTOCOL } as const, settle, ...takenDown];

  breaks("unbind-watchdog", "to unbind", {
    by: PROTOCOL,
    says: /took 61 s to unbind.*0x25, 0x4/,
    protocol: takes("ProtocolUnbindAdapterEx", 61),
    actions,
  });

  breaks("unbind-watchdog", "to pause", {
    by: PROTOCOL,
    says: /took 61 s to pause.*0x25, 0x1/,
    protocol: takes("ProtocolNetPnPEvent", 61),
    actions,
  });

  allows("unbind-watchdog", "for as long as a send may take", { protocol: takes("ProtocolNetPnPEvent", 30), actions });
  allows("unbind-watchdog", "to unbind, nearly a minute", { protocol: takes("ProtocolUnbindAdapterEx", 59), actions });
});
