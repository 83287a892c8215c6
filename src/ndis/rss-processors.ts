/**
 * The processors that receive side scaling may use: all of the machine's, which are one group and one NUMA node.
 *
 * Pages: nf-ndis-ndisgetrssprocessorinformation, ns-ntddndis-_ndis_rss_processor_info, ns-ntddndis-_ndis_rss_processor.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { leaf } from "../kernel/routine.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { Adapter, Binding } from "./objects.ts";

const Information = windowsStruct("NDIS_RSS_PROCESSOR_INFO");
const RssProcessor = windowsStruct("NDIS_RSS_PROCESSOR");

/** Minor NDIS version of the driver behind the handle, an adapter's or a binding's. */
function minorVersion(k: Kernel, handle: number): number | undefined {
  const adapter = k.objects.resolve(handle, Adapter);
  return adapter?.miniport?.minorVersion ?? k.objects.resolve(handle, Binding)?.protocol?.minorVersion;
}

function rssInformation(k: Kernel, handle: number, address: number, sizeVariable: number): number | string {
  const version = minorVersion(k, handle);
  if (version === undefined) {
    k.note("bad handle", handle, 0, "not a handle: a miniport adapter or a binding handle was expected");
    return "NDIS_STATUS_INVALID_PARAMETER";
  }
  const revision = version >= 30 ? 2 : 1;
  const size = revision === 2 ? "NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_2" : "NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_1";
  const count = k.header.processorCount;
  const bytes = constant(size) + count * RssProcessor.bytes;
  const given = k.memory.readU32(sizeVariable);
  k.memory.writeU32(sizeVariable, bytes);
  if (address === 0 || given < bytes) return "NDIS_STATUS_BUFFER_TOO_SHORT";
  k.memory.clear(address, bytes);
  writeHeader(k, address, "NDIS_OBJECT_TYPE_RSS_PROCESSOR_INFO", revision, size);
  const information = Information.at(k.memory, address);
  information.MaxNumRssProcessors = count;
  information.RssProcessorArrayOffset = constant(size);
  information.RssProcessorCount = count;
  information.RssProcessorEntrySize = RssProcessor.bytes;
  if (revision === 2) {
    information.RssMaxProcessor_Number = count - 1;
    information.RssProfile = constant("NdisRssProfileNuma");
  }
  for (let index = 0; index < count; index += 1) {
    RssProcessor.at(k.memory, address + constant(size) + index * RssProcessor.bytes).ProcNum_Number = index;
  }
  return "NDIS_STATUS_SUCCESS";
}

export const rssProcessorRoutines = [leaf("NdisGetRssProcessorInformation", rssInformation)];
