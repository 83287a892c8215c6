import { describe } from "vitest";
import { MINIPORT, PROTOCOL, allows, breaks, call, started, takenDown } from "./support.ts";

describe("Run-down protection", () => {
  breaks("rundown-order", "an object that is in use is initialized again", {
    by: PROTOCOL,
    says: /ExReInitializeRundownProtection was called for 0x[0-9a-f]+, which is not run down/,
    protocol: (d) => {
      const reference = d.statics(4);
      return {
        *Replace() {
          yield* d.ExAcquireRundownProtection(reference);
          yield* d.ExReInitializeRundownProtection(reference);
        },
      };
    },
    actions: [...started, call(PROTOCOL, "Replace")],
  });

  breaks("rundown-order", "a protection is released twice", {
    by: MINIPORT,
    says: /was released 2 time\(s\), but acquired only 1/,
    miniport: (d) => {
      const reference = d.statics(4);
      return {
        *ReleaseTwice() {
          yield* d.ExAcquireRundownProtection(reference);
          yield* d.ExReleaseRundownProtectionEx(reference, 2);
        },
      };
    },
    actions: [...started, call(MINIPORT, "ReleaseTwice")],
  });

  allows("rundown-order", "an object is run down, completed and initialized again", {
    protocol: (d) => {
      const reference = d.statics(4);
      return {
        *Replace() {
          yield* d.ExInitializeRundownProtection(reference);
          yield* d.ExAcquireRundownProtectionEx(reference, 2);
          yield* d.ExReleaseRundownProtectionEx(reference, 2);
          yield* d.ExWaitForRundownProtectionRelease(reference);
          yield* d.ExRundownCompleted(reference);
          yield* d.ExReInitializeRundownProtection(reference);
        },
      };
    },
    actions: [...started, call(PROTOCOL, "Replace"), ...takenDown],
  });
});
