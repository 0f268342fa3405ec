/* SPDX-License-Identifier: Apache-2.0 */
#include "control/cmd.h"

int main(int argc, char **argv) {
  static const struct asz_cmd *const commands[] = {
#define COMMAND(name) &asz_cmd_##name,
      ASZ_CMD_LIST(COMMAND)
#undef COMMAND
  };
  return asz_cmd_main(commands, sizeof commands / sizeof commands[0], argc, argv);
}
