// SPDX-License-Identifier: Apache-2.0
// The tool that the recorded intrusion brings along; it only says that it works.
#include <stdio.h>

int main(void) {
  return puts("working") < 0;
}
