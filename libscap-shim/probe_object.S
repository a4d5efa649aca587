/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled modern probe as bytes; PROBE_OBJECT is its path. */
	.section .rodata
	.balign 16
	.global probe_object, probe_object_end
	.hidden probe_object, probe_object_end
probe_object:
	.incbin PROBE_OBJECT
probe_object_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
