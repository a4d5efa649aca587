// SPDX-License-Identifier: (GPL-2.0-only OR MIT)
/* The modern probe: dispatch from the raw system-call tracepoints to the fillers, and the other tracepoints. */
#include "kernel.h"
#include "../probe_abi.h"
#include "../generated/schema.h"
#include "../generated/tables.h"
#include "accessors.h"
#include "../fillers/values.h"
#include "../fillers/paths.h"
#include "../fillers/files.h"
#include "../fillers/processes.h"
#include "../fillers/sockets.h"
#include "../fillers/data.h"
#include "../fillers/misc.h"
#include "../generated/fillers.h"
#include "dispatch.h"
#include "tracepoints.h"
#include "iterators.h"

char _license[] SEC("license") = "Dual MIT/GPL";
