/**
 * How the processors of the machine are built: one package with a core for each, none of them hyper-threaded, and no hypervisor below.
 *
 * Pages: nf-ndis-ndisgetprocessorinformation, nf-ndis-ndisgetprocessorinformationex, nf-ndis-ndisgethypervisorinfo.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { leaf } from "../kernel/routine.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";

const Information = windowsStruct("NDIS_SYSTEM_PROCESSOR_INFO");
const InformationEx = windowsStruct("NDIS_SYSTEM_PROCESSOR_INFO_EX");
const Processor = windowsStruct("NDIS_PROCESSOR_INFO");
const ProcessorEx = windowsStruct("NDIS_PROCESSOR_INFO_EX");
const HypervisorInformation = windowsStruct("NDIS_HYPERVISOR_INFO");
const ObjectHeader = windowsStruct("NDIS_OBJECT_HEADER");

function information(k: Kernel, address: number): string {
  if (ObjectHeader.at(k.memory, address).Size < constant("NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_REVISION_1")) {
    return "NDIS_STATUS_BUFFER_TOO_SHORT";
  }
  const count = k.header.processorCount;
  const given = Information.at(k.memory, address);
  given.ProcessorVendor = constant("NdisProcessorVendorUnknown");
  given.NumPhysicalPackages = 1;
  given.NumCores = count;
  given.NumCoresPerPhysicalPackage = count;
  given.MaxHyperThreadingCpusPerCore = 1;
  given.RssBaseCpu = 0;
  given.RssCpuCount = count;
  for (let index = 0; index < count; index += 1) {
    const processor = Processor.at(k.memory, address + Information.offset("CpuInfo") + index * Processor.bytes);
    processor.CpuNumber = index;
    processor.PhysicalPackageId = 0;
    processor.CoreId = index;
    processor.HyperThreadID = 0;
    if (given.RssProcessors !== 0) k.memory.u8[given.RssProcessors + index] = index;
  }
  return "NDIS_STATUS_SUCCESS";
}

function informationEx(k: Kernel, _handle: number, address: number, sizeVariable: number): string {
  const count = k.header.processorCount;
  const needed = InformationEx.bytes + count * ProcessorEx.bytes;
  const size = k.memory.readU32(sizeVariable);
  k.memory.writeU32(sizeVariable, needed);
  if (address === 0 || size < needed) return "NDIS_STATUS_BUFFER_TOO_SHORT";
  k.memory.clear(address, needed);
  writeHeader(k, address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_EX_REVISION_1");
  const given = InformationEx.at(k.memory, address);
  given.ProcessorVendor = constant("NdisProcessorVendorUnknown");
  given.NumSockets = 1;
  given.NumCores = count;
  given.NumCoresPerSocket = count;
  given.MaxHyperThreadingProcsPerCore = 1;
  given.ProcessorInfoOffset = InformationEx.bytes;
  given.NumberOfProcessors = count;
  given.ProcessorInfoEntrySize = ProcessorEx.bytes;
  for (let index = 0; index < count; index += 1) {
    const processor = ProcessorEx.at(k.memory, address + InformationEx.bytes + index * ProcessorEx.bytes);
    processor.ProcNum_Number = index;
    processor.CoreId = index;
  }
  return "NDIS_STATUS_SUCCESS";
}

export const processorTopologyRoutines = [
  leaf("NdisGetProcessorInformation", information),
  leaf("NdisGetProcessorInformationEx", informationEx),
  leaf("NdisGetHypervisorInfo", (k, address) => {
    if (ObjectHeader.at(k.memory, address).Size < constant("NDIS_SIZEOF_HYPERVISOR_INFO_REVISION_1")) {
      return "NDIS_STATUS_BUFFER_TOO_SHORT";
    }
    const given = HypervisorInformation.at(k.memory, address);
    given.Flags = 0;
    given.PartitionType = constant("NdisHypervisorPartitionTypeUnknown");
    return "NDIS_STATUS_SUCCESS";
  }),
];
