/** Rules of Driver Verifier's about single routines, and of status indications: what a call may not say. */
import { constant, statusName } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Adapter } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const LINK_STATE = constant("NDIS_STATUS_LINK_STATE");
const LINK_STATE_BYTES = constant("NDIS_SIZEOF_LINK_STATE_REVISION_1");
const LONGEST_STALL = 50;
/** Handlers in which the bindings of a protocol may not be counted anew. */
const ABOUT_ONE_BINDING: ReadonlySet<string> = new Set(["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx"]);

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

export const statusRules = ruleSet(
  ["status-sourcehandle", "status-destination-and-id-together", "status-valid-buffer"],
  [
    on("call NdisMIndicateStatusEx", ({ k, report }, { args }) => {
      const [handle = 0, address = 0] = args;
      if (k.objects.resolve(handle, Adapter) === undefined) return;
      const given = Indication.at(k.memory, address);
      const what = statusName(given.StatusCode) ?? hex(given.StatusCode >>> 0);
      if (given.SourceHandle !== handle) {
        report({
          rule: "status-sourcehandle",
          message: `${what} was indicated with the SourceHandle ${hex(given.SourceHandle)}. It has to be the adapter's handle, ${hex(handle)}.`,
        });
      }
      if ((given.DestinationHandle === 0) !== (given.RequestId === 0)) {
        const [set, unset] = given.RequestId === 0 ? ["DestinationHandle", "RequestId"] : ["RequestId", "DestinationHandle"];
        report({
          rule: "status-destination-and-id-together",
          message: `${what} was indicated with a ${set} and without a ${unset}. Both are copied from the request that the indication answers, or both are zero.`,
        });
      }
      if (given.StatusBufferSize > 0 && given.StatusBuffer === 0) {
        report({
          rule: "status-valid-buffer",
          message: `${what} was indicated with ${given.StatusBufferSize} bytes of data at no address.`,
        });
      } else if (given.StatusCode === LINK_STATE && given.StatusBufferSize < LINK_STATE_BYTES) {
        report({
          rule: "status-valid-buffer",
          message: `${what} was indicated with ${given.StatusBufferSize} bytes of data. An NDIS_LINK_STATE has at least ${LINK_STATE_BYTES}.`,
        });
      }
    }),
  ],
);

export const smallDutyRules = ruleSet(
  ["NdisAllocateMemoryWithTagPriority", "NdisStallExecution_Delay", "NdisReEnumerateProtocolBindings"],
  [
    on("call NdisAllocateMemoryWithTagPriority", ({ report }, { args }) => {
      if (args[2] !== 0) return;
      report({
        rule: "NdisAllocateMemoryWithTagPriority",
        message: "NdisAllocateMemoryWithTagPriority was called without a tag: nobody could tell whose the memory is.",
      });
    }),
    // NdisStallExecution is a macro for it.
    on("call KeStallExecutionProcessor", ({ report }, { args: [microseconds = 0] }) => {
      if (microseconds <= LONGEST_STALL) return;
      report({
        rule: "NdisStallExecution_Delay",
        message: `A processor was stalled for ${microseconds} microseconds. NdisStallExecution keeps it busy for at most ${LONGEST_STALL}.`,
      });
    }),
    on("call NdisReEnumerateProtocolBindings", ({ k, report }) => {
      const thread = k.current;
      for (let index = 0; index < thread.depth; index += 1) {
        const frame = k.frame(thread, index);
        const name = frame.kind === "Code" ? k.handlerName(frame) : "";
        const isEventOfBinding = name === "ProtocolNetPnPEvent" && (k.arguments(frame)[0] ?? 0) !== 0;
        if (!isEventOfBinding && !ABOUT_ONE_BINDING.has(name)) continue;
        report({
          rule: "NdisReEnumerateProtocolBindings",
          message: `NdisReEnumerateProtocolBindings was called inside ${name}, which is about one binding.`,
        });
        return;
      }
    }),
  ],
);
