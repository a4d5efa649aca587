// SPDX-License-Identifier: Apache-2.0
// The built-in field classes in the order in which they are listed.
import {
  CONTAINER_FIELDS,
  K8S_FIELDS,
  RETIRED_CONTAINER_FIELDS,
  RETIRED_K8S_FIELDS,
  RETIRED_PROCESS_FIELDS,
} from "./container.ts";
import { EVT_ARG_FIELDS } from "./evt_args.ts";
import {
  EVT_AROUND_FIELDS,
  EVT_CPU_FIELDS,
  EVT_GENERAL_FIELDS,
  EVT_HOST_FIELDS,
  EVT_INFRA_FIELDS,
  EVT_SOURCE_FIELDS,
} from "./evt_general.ts";
import { EVT_IO_FIELDS } from "./evt_io.ts";
import { EVT_ABSPATH_FIELD, EVT_OPEN_FIELDS, EVT_OPEN_MORE_FIELDS } from "./evt_open.ts";
import { EVT_LATENCY_FIELDS, EVT_TIME_FIELDS } from "./evt_time.ts";
import { EVT_ASYNC_FIELDS, EVT_TYPE_FIELDS } from "./evt_type.ts";
import { FD_FILE_FIELDS, FD_ID_FIELDS, FD_KIND_FIELDS, FD_NAME_FIELDS, FD_STATE_FIELDS } from "./fd.ts";
import { FD_IP_FIELDS, FD_IPNAME_FIELDS, FD_NET_FIELDS, FD_PROTO_FIELDS, FD_SERVER_FIELDS } from "./fd_net.ts";
import { FDLIST_FIELDS } from "./fdlist.ts";
import type { FieldClass } from "./field.ts";
import { FS_PATH_FIELDS } from "./fs_path.ts";
import {
  PROCESS_AGE_FIELDS,
  PROCESS_ARGS_FIELDS,
  PROCESS_CWD_FIELDS,
  PROCESS_EXE_FIELDS,
  PROCESS_ID_FIELDS,
  PROCESS_IMAGE_FIELDS,
  PROCESS_RESOURCE_FIELDS,
  PROCESS_STD_FIELDS,
  PROCESS_THREADS_FIELDS,
  PROCESS_VPID_FIELDS,
} from "./process.ts";
import {
  PROCESS_AARGS_FIELDS,
  PROCESS_AENV_FIELDS,
  PROCESS_GROUP_FIELDS,
  PROCESS_LOGIN_FIELDS,
  PROCESS_PARENT_AGE_FIELDS,
  PROCESS_PCMDLINE_FIELDS,
  PROCESS_PEXE_FIELDS,
  PROCESS_PEXEPATH_FIELDS,
  PROCESS_PNAME_FIELDS,
  PROCESS_PPID_FIELDS,
  PROCESS_PVPID_FIELDS,
} from "./process_tree.ts";
import {
  THREAD_CAP_FIELDS,
  THREAD_CGROUP_FIELDS,
  THREAD_CPU_FIELDS,
  THREAD_ID_FIELDS,
  THREAD_MEMORY_FIELDS,
  THREAD_TIME_FIELDS,
} from "./thread.ts";
import { GROUP_FIELDS, USER_FIELDS } from "./user.ts";
import { UTIL_FIELDS } from "./util.ts";

/** A class of fields of kernel events. */
function kernel(name: string, shortDoc: string, doc: string, ...fields: FieldClass["fields"][]): FieldClass {
  return { name, shortDoc, doc, sources: ["syscall"], hidden: false, fields: fields.flat() };
}

export const BUILTIN_CLASSES: readonly FieldClass[] = [
  {
    name: "evt",
    shortDoc: "All event types",
    doc: "Fields of every event, whatever its source",
    sources: [],
    hidden: false,
    fields: [...EVT_GENERAL_FIELDS, ...EVT_TIME_FIELDS, ...EVT_SOURCE_FIELDS, ...EVT_ASYNC_FIELDS, ...EVT_HOST_FIELDS],
  },
  kernel(
    "evt",
    "Syscall events only",
    "Fields of events that come from the kernel",
    EVT_LATENCY_FIELDS,
    EVT_TYPE_FIELDS,
    EVT_CPU_FIELDS,
    EVT_ARG_FIELDS,
    EVT_IO_FIELDS,
    EVT_AROUND_FIELDS,
    [EVT_ABSPATH_FIELD],
    EVT_OPEN_FIELDS,
    EVT_INFRA_FIELDS,
    EVT_OPEN_MORE_FIELDS,
  ),
  kernel(
    "process",
    "",
    "The process and thread that made the event, its ancestors, session and process group",
    PROCESS_EXE_FIELDS,
    PROCESS_PEXE_FIELDS,
    PROCESS_PEXEPATH_FIELDS,
    PROCESS_PNAME_FIELDS,
    PROCESS_ARGS_FIELDS,
    PROCESS_AARGS_FIELDS,
    PROCESS_PCMDLINE_FIELDS,
    PROCESS_AENV_FIELDS,
    PROCESS_CWD_FIELDS,
    PROCESS_LOGIN_FIELDS,
    PROCESS_ID_FIELDS,
    PROCESS_PPID_FIELDS,
    PROCESS_VPID_FIELDS,
    PROCESS_PVPID_FIELDS,
    PROCESS_GROUP_FIELDS,
    PROCESS_AGE_FIELDS.own,
    PROCESS_PARENT_AGE_FIELDS.age,
    PROCESS_AGE_FIELDS.start,
    PROCESS_PARENT_AGE_FIELDS.start,
    PROCESS_IMAGE_FIELDS,
    THREAD_CAP_FIELDS,
    PROCESS_RESOURCE_FIELDS,
    THREAD_ID_FIELDS,
    THREAD_TIME_FIELDS,
    THREAD_CGROUP_FIELDS,
    PROCESS_THREADS_FIELDS,
    THREAD_CPU_FIELDS,
    THREAD_MEMORY_FIELDS,
    PROCESS_STD_FIELDS,
  ),
  kernel("user", "", "The user on whose behalf the event happened", USER_FIELDS),
  kernel("group", "", "The group on whose behalf the event happened", GROUP_FIELDS),
  kernel(
    "fd",
    "",
    "The descriptor an event works on: file, socket, pipe …",
    FD_NAME_FIELDS,
    FD_IP_FIELDS,
    FD_KIND_FIELDS,
    FD_SERVER_FIELDS,
    FD_ID_FIELDS,
    FD_PROTO_FIELDS,
    FD_NET_FIELDS,
    FD_STATE_FIELDS,
    FD_IPNAME_FIELDS,
    FD_FILE_FIELDS,
  ),
  kernel("fs.path", "", "Paths that file-system calls worked on, whatever the call", FS_PATH_FIELDS),
  { name: "util", shortDoc: "", doc: "For measuring", sources: [], hidden: true, fields: UTIL_FIELDS },
  kernel(
    "container",
    "",
    "The container a thread is in, as far as cgroups and the capture tell",
    CONTAINER_FIELDS,
    RETIRED_CONTAINER_FIELDS,
    RETIRED_PROCESS_FIELDS,
  ),
  kernel("k8s", "", "The Kubernetes pod a thread is in", K8S_FIELDS, RETIRED_K8S_FIELDS),
  kernel("fdlist", "", "The descriptors that poll and ppoll wait for", FDLIST_FIELDS),
];
