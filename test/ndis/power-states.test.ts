/** The device power states that an adapter is taken through. */
import { expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import {
  type Change,
  SUCCESS,
  createAdapterContext,
  setPowerAttributes,
  setRegistrationAttributes,
  started,
  takenDown,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const to = (state: "D0" | "D2" | "D3"): Action => ({ do: "power", adapter: 0, state });

/** A miniport with power management that tells the states which it is set to. */
const telling =
  (states: number[]): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context);
      return yield* setPowerAttributes(d, handle);
    },
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
        return yield* its.inherited("MiniportOidRequest", context, request);
      states.push(d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer));
      given.DATA_SET_INFORMATION_BytesRead = 4;
      return SUCCESS;
    },
  });

const [D0, D2, D3] = [1, 3, 4];

test("An adapter that sleeps is not taken to another sleeping state before it was awake", () => {
  const states: number[] = [];
  play({ miniport: telling(states), actions: [...started, to("D2"), to("D3"), to("D0"), to("D3"), to("D0"), ...takenDown] });
  expect(states).toEqual([D2, D0, D3, D0]);
});
