/** Rules of ports that are being activated or deactivated, and of what protocols know of them. */
import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  THIRD,
  adapter,
  allows,
  atOnce,
  breaks,
  call,
  inParallel,
  indicates,
  isEvent,
  keepsReceives,
  load,
  pending,
  protocolWith,
  queuesSends,
  settle,
  started,
  takenDown,
  unload,
  wait,
} from "./support.ts";
import { answers, completesSends, portFunctions, sendsDuring, slowlyHandles, usesPorts, withoutPorts } from "./port-functions.ts";

const FAILURE = 0xc000_0001;
const INVALID_PORT = 0xc023_002d;
const miniport = (name: string, ...args: number[]) => call(MINIPORT, name, ...args);
const protocol = (name: string, ...args: number[]) => call(PROTOCOL, name, ...args);

const withPorts =
  (change: Change): Change =>
  (d, its) => ({ ...portFunctions(d, its), ...change(d, its) });
const twoActive = [...started, miniport("Allocate"), miniport("Activate", 2)];
const secondGone = [settle, miniport("Deactivate", 2), miniport("Free", 2), ...takenDown];
/** Port 1, which the right miniport frees in its halt, was deactivated. */
const firstGone = [settle, miniport("Free", 1), miniport("Forget"), ...takenDown];
const activating = [...started, miniport("Allocate"), inParallel(miniport("Activate", 2)), wait(5)];
const deactivating = [...started, inParallel(miniport("Deactivate", 1)), wait(5)];
/** The third driver is loaded right after the protocol, and bound after it. */
const withThird = (actions: readonly Action[]): Action[] => actions.toSpliced(1, 0, load(THIRD));

describe("Freeing an NDIS Port", () => {
  breaks("port-free-requires-allocated", "a port is freed while its deactivation is under way", {
    by: MINIPORT,
    says: /NdisMFreePort was called for port 1 while its deactivation is under way/,
    protocol: slowlyHandles("NetEventPortDeactivation"),
    miniport: portFunctions,
    actions: [...deactivating, miniport("Free", 1), ...firstGone],
  });

  allows("port-free-requires-allocated", "a port is freed at once when its deactivation, which took long, has returned", {
    protocol: slowlyHandles("NetEventPortDeactivation"),
    miniport: portFunctions,
    actions: [...deactivating, ...firstGone],
  });
});

describe("Types of NDIS ports", () => {
  breaks("port-types", "a miniport allocates a port of a type that is reserved for the system", {
    by: MINIPORT,
    says: /of type NdisPortTypeBridge/,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate", 1), miniport("Free", 2), ...takenDown],
  });

  allows("port-types", "a miniport allocates ports of the types that drivers use", {
    miniport: portFunctions,
    actions: [...started, ...[0, 2, 3].flatMap((type) => [miniport("Allocate", type), miniport("Free", 2)]), ...takenDown],
  });
});

describe("Activating an NDIS Port", () => {
  breaks("port-freed-not-reactivatable", "a port that was freed is activated", {
    by: MINIPORT,
    says: /port 2 was freed/,
    miniport: portFunctions,
    actions: [...twoActive, miniport("Deactivate", 2), miniport("Free", 2), miniport("Activate", 2), ...takenDown],
  });

  allows("port-freed-not-reactivatable", "a number that was freed is allocated again, and activated", {
    miniport: portFunctions,
    actions: [...twoActive, miniport("Deactivate", 2), miniport("Free", 2), ...twoActive.slice(started.length), ...secondGone],
  });

  breaks("port-activate-failed-not-used", "a receive is indicated on a port whose activation was refused", {
    by: MINIPORT,
    says: /on port 2, which is not active: NDIS has refused to activate it/,
    also: ["port-activate-all-allocated"],
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("Activate", 2, 1),
      miniport("Indicate", 2),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  allows("port-activate-failed-not-used", "a receive is indicated on a port whose activation succeeded", {
    miniport: portFunctions,
    actions: [...twoActive, miniport("Indicate", 2), ...secondGone],
  });

  for (const [what, indicate] of [
    ["a receive", "Indicate"],
    ["a status", "IndicateStatus"],
  ] as const) {
    const slow = { protocol: slowlyHandles("NetEventPortActivation"), miniport: portFunctions };
    breaks("port-activate-no-indications-before-return", `${what} is indicated before the activation has returned`, {
      by: MINIPORT,
      says: /port 2, which is being activated/,
      ...slow,
      actions: [...activating, miniport(indicate, 2), ...secondGone],
    });

    allows(
      "port-activate-no-indications-before-return",
      `${what} is indicated on another port before the activation has returned`,
      {
        ...slow,
        actions: [...activating, miniport(indicate, 1), settle, miniport(indicate, 2), ...secondGone],
      },
    );
  }

  const failsSendsOn =
    (port: number): Change =>
    (d, its) => ({
      ...portFunctions(d, its),
      *MiniportSendNetBufferLists(_context, lists, number) {
        if (number === port) d.view("NET_BUFFER_LIST", lists).Status = INVALID_PORT;
        yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
      },
    });

  breaks("port-activate-ready-for-sends", "a miniport refuses a send on the port that it activates", {
    by: MINIPORT,
    also: ["send-status-values"],
    says: /A send on port 2 was completed with NDIS_STATUS_INVALID_PORT while the port is activating/,
    protocol: sendsDuring("NetEventPortActivation", 2),
    miniport: failsSendsOn(2),
    actions: [...twoActive, ...secondGone],
  });

  allows("port-activate-ready-for-sends", "a protocol sends while it is told that the port is active", {
    protocol: sendsDuring("NetEventPortActivation", 2),
    miniport: failsSendsOn(1),
    actions: [...twoActive, ...secondGone],
  });

  breaks("port-deactivate-handle-requests-until-return", "a miniport refuses a send on the port that it deactivates", {
    by: MINIPORT,
    also: ["send-status-values"],
    says: /A send on port 1 was completed with NDIS_STATUS_INVALID_PORT while the port is deactivating/,
    protocol: sendsDuring("NetEventPortDeactivation", 1),
    miniport: failsSendsOn(1),
    actions: [...started, miniport("Deactivate", 1), ...firstGone],
  });

  allows(
    "port-deactivate-handle-requests-until-return",
    "a protocol sends while it is told that the port is not active any more",
    {
      protocol: sendsDuring("NetEventPortDeactivation", 1),
      miniport: withPorts(completesSends),
      actions: [...started, miniport("Deactivate", 1), ...firstGone],
    },
  );
});

describe("Deactivating an NDIS Port", () => {
  for (const [what, indicate] of [
    ["a receive", "Indicate"],
    ["a status", "IndicateStatus"],
  ] as const) {
    const slow = { protocol: slowlyHandles("NetEventPortDeactivation"), miniport: portFunctions };
    breaks("port-deactivate-no-indications-after", `${what} is indicated after the deactivation event was sent`, {
      by: MINIPORT,
      says: /port 1, which is being deactivated/,
      ...slow,
      actions: [...deactivating, miniport(indicate, 1), ...firstGone],
    });

    allows("port-deactivate-no-indications-after", `${what} is indicated before that, and on another port`, {
      ...slow,
      actions: [...started, miniport(indicate, 1), ...deactivating.slice(started.length), miniport(indicate, 0), ...firstGone],
    });
  }

  const keeping = { protocol: keepsReceives, miniport: withPorts(indicates) };
  breaks("port-deactivate-no-outstanding-indications", "a port is deactivated while a protocol has a list from it", {
    by: MINIPORT,
    says: /deactivates port 1 while 1 list\(s\) that were indicated on it are not returned/,
    ...keeping,
    actions: [...started, miniport("Inject", 1), miniport("Deactivate", 1), protocol("ReturnAll"), ...firstGone],
  });

  allows("port-deactivate-no-outstanding-indications", "the list is back, and one from another port is not", {
    ...keeping,
    actions: [
      ...started,
      miniport("Inject", 1),
      protocol("ReturnAll"),
      miniport("Inject", 0),
      miniport("Deactivate", 1),
      protocol("ReturnAll"),
      ...firstGone,
    ],
  });

  breaks("port-deactivate-no-outstanding-indications", "a port is deactivated while an indication has not returned", {
    by: MINIPORT,
    says: /and 1 indication\(s\) for it are under way/,
    protocol: (d) => ({
      *ProtocolReceiveNetBufferLists() {
        yield* d.NdisMSleep(20_000);
      },
    }),
    miniport: portFunctions,
    actions: [...started, inParallel(miniport("Indicate", 1)), wait(5), miniport("Deactivate", 1), ...firstGone],
  });

  const queued = { protocol: usesPorts, miniport: withPorts(queuesSends) };
  breaks("port-deactivate-protocol-drain", "a protocol completes the event while a send on the port is not complete", {
    by: PROTOCOL,
    says: /completed while 1 send\(s\) and 0 OID request\(s\) of the binding on port 1/,
    ...queued,
    actions: [...started, protocol("SendOn", 1), miniport("Deactivate", 1), miniport("CompleteSends"), ...firstGone],
  });

  allows("port-deactivate-protocol-drain", "the send on the port is complete, and one on another port is not", {
    ...queued,
    actions: [
      ...started,
      protocol("SendOn", 1),
      miniport("CompleteSends"),
      protocol("SendOn", 0),
      miniport("Deactivate", 1),
      miniport("CompleteSends"),
      ...firstGone,
    ],
  });

  allows("port-deactivate-protocol-drain", "a protocol pends the event until its send is complete", {
    ...queued,
    protocol: (d, its) => {
      const kept = d.statics(4);
      return {
        ...usesPorts(d, its),
        *ProtocolNetPnPEvent(context, event) {
          if (!isEvent(d, event, "NetEventPortDeactivation")) return yield* its.inherited("ProtocolNetPnPEvent", context, event);
          d.memory.writeU32(kept, event);
          return PENDING;
        },
        *ProtocolSendNetBufferListsComplete(context, lists, flags) {
          yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
          const event = d.memory.readU32(kept);
          d.memory.writeU32(kept, 0);
          if (event !== 0) yield* d.NdisCompleteNetPnPEvent(d.memory.readU32(context), event, 0);
        },
      };
    },
    actions: [...started, protocol("SendOn", 1), ...deactivating.slice(started.length), miniport("CompleteSends"), ...firstGone],
    answers: [atOnce],
  });

  breaks("port-deactivate-protocol-drain", "a protocol sends on the port after it has completed the event", {
    by: PROTOCOL,
    says: /though it has completed the event that deactivates the port/,
    protocol: usesPorts,
    miniport: withPorts(completesSends),
    more: [protocolWith(slowlyHandles("NetEventPortDeactivation"))],
    actions: [...withThird(deactivating), protocol("SendOn", 1), ...firstGone, unload(THIRD)],
  });

  breaks("port-deactivate-protocol-cannot-fail", "a protocol fails the deactivation event", {
    by: PROTOCOL,
    also: ["pnp-event-always-succeed"],
    says: /NetEventPortDeactivation was completed with 0xc0000001/,
    protocol: answers("NetEventPortDeactivation", FAILURE),
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 1), ...firstGone],
  });

  allows("port-deactivate-protocol-cannot-fail", "a protocol fails the activation event", {
    protocol: answers("NetEventPortActivation", FAILURE),
    miniport: portFunctions,
    actions: [...twoActive, ...secondGone],
  });
});

describe("What a protocol knows of ports", () => {
  const two = {
    protocol: slowlyHandles("NetEventPortActivation"),
    miniport: withPorts(completesSends),
    more: [protocolWith(usesPorts)],
  };
  breaks("port-protocol-use-only-notified", "a protocol sends on a port before it is told that the port is active", {
    by: THIRD,
    says: /A send of a protocol names port 2, of which it was not told/,
    ...two,
    actions: [...withThird(activating), call(THIRD, "SendOn", 2), settle, ...secondGone, unload(THIRD)],
  });

  allows("port-protocol-use-only-notified", "a protocol sends in its handler of the event", {
    protocol: sendsDuring("NetEventPortActivation", 2),
    miniport: withPorts(completesSends),
    actions: [...twoActive, protocol("SendOn", 2), ...secondGone],
  });

  allows("port-protocol-use-only-notified", "a protocol that was bound later has the port from its bind parameters", {
    ...two,
    actions: [...twoActive, load(THIRD), settle, call(THIRD, "SendOn", 2), settle, ...secondGone, unload(THIRD)],
  });

  breaks("port-protocol-may-fail-activation", "a protocol uses a port though it has failed the event", {
    by: PROTOCOL,
    says: /though it has failed the event/,
    protocol: answers("NetEventPortActivation", FAILURE),
    miniport: withPorts(completesSends),
    actions: [...twoActive, protocol("SendOn", 2), ...secondGone],
  });

  allows("port-protocol-may-fail-activation", "a protocol that has failed the event uses other ports", {
    protocol: answers("NetEventPortActivation", FAILURE),
    miniport: withPorts(completesSends),
    actions: [...twoActive, protocol("SendOn", 1), protocol("AskOn", 1), protocol("SendOn", 0), ...secondGone],
  });

  breaks("port-inactive-uses-forbidden", "an OID request names a port that is not active", {
    by: PROTOCOL,
    says: /An OID request names port 2, which is not active/,
    protocol: usesPorts,
    actions: [...started, protocol("AskOn", 2), ...takenDown],
  });

  breaks("port-inactive-uses-forbidden", "an event comes from a port that is not active", {
    by: MINIPORT,
    says: /names port 2 as the source of an event/,
    miniport: portFunctions,
    actions: [...started, miniport("EventFrom", 2), ...takenDown],
  });

  allows("port-inactive-uses-forbidden", "OID requests and events name active ports", {
    protocol: usesPorts,
    miniport: portFunctions,
    actions: [...started, protocol("AskOn", 1), settle, protocol("AskOn", 0), settle, miniport("EventFrom", 1), ...takenDown],
  });
});

describe("NDIS port status and OID requests", () => {
  breaks("port-zero-when-none", "a miniport without ports indicates on port 3", {
    by: MINIPORT,
    says: /the miniport has never allocated a port/,
    miniport: withoutPorts,
    actions: [...started, miniport("Indicate", 3), ...takenDown],
  });

  allows("port-zero-when-none", "a miniport without ports indicates on port 0", {
    miniport: withoutPorts,
    actions: [...started, miniport("Indicate", 0), miniport("IndicateStatus", 0), ...takenDown],
  });

  breaks("port-status-indication-portnumber", "NDIS_STATUS_PORT_STATE comes without an NDIS_PORT_STATE", {
    by: MINIPORT,
    says: /NDIS_STATUS_PORT_STATE is indicated with 4 bytes/,
    miniport: portFunctions,
    actions: [...started, miniport("IndicatePortState", 1, 4), ...takenDown],
  });

  allows("port-status-indication-portnumber", "NDIS_STATUS_PORT_STATE comes with an NDIS_PORT_STATE", {
    miniport: portFunctions,
    actions: [...started, miniport("IndicatePortState", 1, 48), miniport("IndicatePortState", 0, 48), ...takenDown],
  });

  breaks("port-oid-auth-required", "a miniport with ports does not support the port authentication parameters", {
    by: MINIPORT,
    says: /OID_GEN_PORT_AUTHENTICATION_PARAMETERS with NDIS_STATUS_NOT_SUPPORTED/,
    protocol: usesPorts,
    actions: [...started, protocol("SetAuthentication", 1), settle, ...takenDown],
  });

  allows("port-oid-auth-required", "a miniport without ports does not support them", {
    protocol: usesPorts,
    miniport: withoutPorts,
    actions: [...started, protocol("SetAuthentication", 0), settle, ...takenDown],
  });

  /** A miniport that keeps the request for its vendor id until `Finish`. */
  const keepsRequest: Change = (d, its) => {
    const kept = d.statics(4);
    return {
      ...portFunctions(d, its),
      MiniportOidRequest(context, request) {
        if (d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_Oid !== d.constant("OID_GEN_VENDOR_ID"))
          return its.right["MiniportOidRequest"]?.(context, request);
        d.memory.writeU32(kept, request);
        return PENDING;
      },
      *Finish() {
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), d.memory.readU32(kept), FAILURE);
      },
    };
  };

  breaks("port-netpnp-not-in-oid", "a port is activated while an OID request that pended is not complete", {
    by: MINIPORT,
    says: /for which MiniportOidRequest returned NDIS_STATUS_PENDING, is not complete/,
    protocol: usesPorts,
    miniport: keepsRequest,
    actions: [...started, miniport("Allocate"), protocol("AskOn", 0), miniport("Activate", 2), miniport("Finish"), ...secondGone],
  });

  allows("port-netpnp-not-in-oid", "a port is activated when the OID request that pended is complete", {
    protocol: usesPorts,
    miniport: keepsRequest,
    actions: [
      ...started,
      miniport("Allocate"),
      protocol("AskOn", 0),
      wait(1),
      miniport("Finish"),
      miniport("Activate", 2),
      ...secondGone,
    ],
    answers: [atOnce, pending],
  });
});
