import { beforeAll, describe, test } from "vitest";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildDriver, call, inParallel, passes, passesInAnyOrder } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("interlocked");
});

describe("An interlocked operation", () => {
  test("on 32 bits answers the old value, or the new one for an increment, a decrement and an addition", () => {
    passes(driver, call("Words"));
  });

  test("on 8 and 16 bits leaves its neighbours alone, and keeps the sign", () => {
    passes(driver, call("Narrow"));
  });

  test("on 64 bits carries from one half to the other", () => {
    passes(driver, call("Wide"));
  });

  test("on a bit answers what it was, and a bit past the word lies in a later one", () => {
    passes(driver, call("Bits"));
  });

  test("with a spin lock answers the value from before, and leaves the IRQL as it was", () => {
    passes(driver, call("Additions"));
  });

  test("with a spin lock is atomic with respect to what is done under the same lock", () => {
    const both = inParallel(call("AddWithLock"), call("AddWithLock"));
    passesInAnyOrder(driver, [both, both, inParallel(call("AddInTwoSteps"))], call("SumIsWhole"));
  });
});

describe("An interlocked list", () => {
  test("that is doubly linked answers the entry that was first or last before, and nothing if it was empty", () => {
    passes(driver, call("DoublyLinked"));
  });

  test("that is singly linked gives its entries back in the opposite order", () => {
    passes(driver, call("SinglyLinked"));
  });

  test("that is sequenced counts its entries, and a flush takes them all", () => {
    passes(driver, call("SequencedLists"));
  });
});
