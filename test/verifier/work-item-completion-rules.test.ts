/** An OID request whose completion is left to a work item. */
import { describe } from "vitest";
import { type Change, MINIPORT, PENDING, adapter, allows, breaks, invoke, later, started, takenDown } from "./support.ts";

/** A miniport that completes each request so many times in a work item. */
const completes =
  (times: number): Change =>
  (d, its) => ({
    *MiniportOidRequest(_context, request) {
      yield* later(d, "CompleteLater", request);
      return PENDING;
    },
    *CompleteLater(request, item) {
      yield* d.NdisFreeIoWorkItem(item);
      const status = yield* invoke(d, its.right, "MiniportOidRequest", 0, request);
      for (let time = 0; time < times; time += 1) {
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, status);
      }
    },
  });

describe("A request whose completion is left to a work item", () => {
  breaks("oid-complete-not-pending-on-driver", "a work item completes a request twice", {
    by: MINIPORT,
    says: /NdisMOidRequestComplete was called, but the operation that it names is not pending/,
    miniport: completes(2),
    actions: started,
  });
  allows("oid-complete-not-pending-on-driver", "a work item completes a request once", {
    miniport: completes(1),
    actions: [...started, ...takenDown],
  });
});
