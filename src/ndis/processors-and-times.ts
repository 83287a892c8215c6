/** NDIS's own names for what the kernel knows of processors and times. */
import { interruptTime, write64 } from "../kernel/times.ts";
import { activeProcessors, indexOfNumber, numberOfIndex, processorsOfGroup, writeProcessorNumber } from "../kernel/processors.ts";
import { leaf, local } from "../kernel/routine.ts";

const MILLISECOND = 10_000n;

export const processorAndTimeRoutines = [
  leaf("NdisCurrentProcessorIndex", (k) => k.current.processor),
  leaf("NdisCurrentGroupAndProcessor", (k, result) => writeProcessorNumber(k, result, k.current.processor)),
  local("NdisProcessorIndexToNumber", numberOfIndex),
  local("NdisProcessorNumberToIndex", indexOfNumber),
  local("NdisSystemProcessorCount", (k) => k.header.processorCount),
  local("NdisSystemActiveProcessorCount", (k, mask) => {
    if (mask !== 0) k.memory.writeU32(mask, activeProcessors(k));
    return k.header.processorCount;
  }),
  local("NdisGroupActiveProcessorCount", processorsOfGroup),
  local("NdisGroupMaxProcessorCount", processorsOfGroup),
  local("NdisGroupActiveProcessorMask", (k, group) => ((group & 0xffff) === 0 ? activeProcessors(k) : 0)),
  local("NdisActiveGroupCount", () => 1),
  local("NdisMaxGroupCount", () => 1),
  local("NdisGetSystemUpTimeEx", (k, upTime) => write64(k, upTime, interruptTime(k) / MILLISECOND)),
];
