/** Rules of power: what a miniport does before its adapter sleeps, and what nobody does while it sleeps. */
import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import { powered } from "./powered.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  allows,
  binding,
  breaks,
  call,
  indicates,
  invoke,
  queuesSends,
  sendOne,
  settle,
  started,
  takenDown,
} from "./support.ts";

const FAILURE = 0xc000_0001;
const sleep: Action = { do: "power", adapter: 0, state: "D3" };
const wake: Action = { do: "power", adapter: 0, state: "D0" };

const version = () => ({ MinorNdisVersion: 30 });
/** A stack that is not paused before its adapter sleeps. */
const unpaused = { makeMiniport: miniportRegisteredWith(version), makeProtocol: protocolRegisteredWith(version) };

describe("A miniport whose adapter goes to sleep", () => {
  const actions = [...started, sleep, wake, ...takenDown];
  breaks("pm-set-power-cannot-fail", "the request to set the power fails", {
    by: MINIPORT,
    says: /ended OID_PNP_SET_POWER with NDIS_STATUS_FAILURE/,
    miniport: powered(undefined, () => FAILURE),
    actions,
  });
  allows("pm-set-power-cannot-fail", "the request succeeds", { miniport: powered(), actions });

  const sending: Change = (d, its) => ({
    *SendOne() {
      yield* sendOne(d, its.context());
    },
  });
  const sends = [...started, call(PROTOCOL, "SendOne"), sleep, wake, call(MINIPORT, "CompleteSends"), settle, ...takenDown];
  breaks("pm-set-low-power-drain", "a frame that was sent is kept while the adapter sleeps", {
    by: MINIPORT,
    says: /still has 1 list/,
    ...unpaused,
    protocol: sending,
    miniport: powered(queuesSends),
    actions: sends,
  });
  allows("pm-set-low-power-drain", "what was sent is completed before the adapter sleeps", {
    ...unpaused,
    protocol: sending,
    miniport: powered((d, its) => {
      const queue = queuesSends(d, its);
      return {
        ...queue,
        *MiniportOidRequest(context, request) {
          yield* invoke(d, queue, "CompleteSends");
          return yield* invoke(d, powered()(d, its), "MiniportOidRequest", context, request);
        },
      };
    }),
    actions: sends,
  });

  breaks("recv-indicate-during-lowpower", "a frame is indicated while the adapter sleeps", {
    by: MINIPORT,
    says: /for an adapter that sleeps/,
    ...unpaused,
    miniport: powered(indicates),
    actions: [...started, sleep, call(MINIPORT, "Inject"), wake, ...takenDown],
  });
  allows("recv-indicate-during-lowpower", "frames are indicated before the adapter sleeps and after it is woken", {
    ...unpaused,
    miniport: powered(indicates),
    actions: [...started, call(MINIPORT, "Inject"), sleep, wake, call(MINIPORT, "Inject"), settle, ...takenDown],
  });
});

describe("A protocol over an adapter that sleeps", () => {
  const asking: Change = (d, its) => {
    const request = d.statics(160);
    return {
      *Ask() {
        const given = d.view("NDIS_OID_REQUEST", request);
        d.header(request, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        given.RequestType = d.constant("NdisRequestQueryInformation");
        yield* d.NdisOidRequest(its.get(binding.handle), request);
      },
    };
  };
  breaks("oid-low-power-forbidden", "asks for an OID", {
    by: PROTOCOL,
    says: /NdisOidRequest was called for an adapter that sleeps/,
    protocol: asking,
    miniport: powered(),
    actions: [...started, sleep, call(PROTOCOL, "Ask"), wake, ...takenDown],
  });
  allows("oid-low-power-forbidden", "asks before it sleeps and after it is woken, or clears its filter when it is unbound", {
    protocol: asking,
    miniport: powered(),
    actions: [...started, call(PROTOCOL, "Ask"), settle, sleep, wake, call(PROTOCOL, "Ask"), settle, sleep, ...takenDown],
  });
});
