/* SPDX-License-Identifier: Apache-2.0 */
#include "control/dryrun.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/table.h"
#include "control/validator.h"
#include "dataplane/base/wire.h"
#include "dataplane/dryrun.h"

enum { HEX_BYTES_A_LINE = 16, END_BYTES = sizeof(struct asz_text) + 8 };

struct view {
  const struct asz_validator *v;
  struct asz_plan plan;
  struct asz_dryrun *frames;
};

static int make_plan(struct view *view, struct asz_validator *v, struct asz_stats *stats, struct asz_diag *diag) {
  struct asz_epoch epoch = {0};
  int err = asz_validator_next_epoch(v, &epoch.number, diag);
  if (err)
    return err;
  epoch.session = asz_roster_epoch(v->roster, epoch.number);
  randombytes_buf(epoch.secret, sizeof epoch.secret);
  *stats = (struct asz_stats){.target_count = v->roster->count, .cell_count = (uint32_t)v->config.probe_sketch_cells};
  view->v = v;
  err = asz_run_plan(&v->config, v->roster, &epoch, stats, &view->plan, diag);
  sodium_memzero(epoch.secret, sizeof epoch.secret);
  if (err)
    return err;
  struct asz_dryrun_config config = {
      .vlan = (uint16_t)v->config.network_vlan,
      .lcore_count = (uint32_t)v->config.network_prober_lcores,
      .local_ipv4 = v->config.network_local_ip,
      .source_port_base = (uint16_t)v->config.network_source_port_base,
      .start_realtime_ns = asz_clock_now_ns(),
  };
  memcpy(config.local_ipv6, v->config.network_local_ip6, sizeof config.local_ipv6);
  err = asz_dryrun_new(&view->frames, &view->plan, &config);
  return err ? asz_diag_set(diag, err, "no memory for a dry run") : 0;
}

static uint32_t keyed_count(const struct asz_roster *roster) {
  uint32_t keyed = 0;
  for (uint32_t i = 0; i < roster->count; i++)
    keyed += asz_provider_has_key(&roster->provider[i]);
  return keyed;
}

static uint64_t probe_count(const struct asz_plan *plan) {
  return (uint64_t)((unsigned __int128)plan->rate_pps * plan->duration_ns / 1000000000u);
}

/* Where a frame comes from and goes to. */
struct ends {
  struct asz_frame parsed;
  struct asz_text source, destination;
};

static void ends_read(struct ends *ret_ends, const struct asz_dryrun_frame *f) {
  struct asz_frame *parsed = &ret_ends->parsed;
  asz_wire_parse(parsed, f->bytes, f->size_bytes, ASZ_WIRE_CHECK_ALL);
  if (parsed->family == ASZ_FAMILY_IPV6) {
    asz_text_ipv6(&ret_ends->source, asz_frame_src_ipv6(parsed, f->bytes));
    asz_text_ipv6(&ret_ends->destination, asz_frame_dst_ipv6(parsed, f->bytes));
  } else {
    asz_text_ipv4(&ret_ends->source, parsed->src_ipv4);
    asz_text_ipv4(&ret_ends->destination, parsed->dst_ipv4);
  }
}

/* ---- JSON ---- */

static json_t *frame_json(const struct view *view, const struct asz_dryrun_frame *f) {
  char hex[2 * ASZ_DRYRUN_FRAME_MAX + 1], cookie[17];
  struct ends ends;
  ends_read(&ends, f);
  asz_hex_encode(hex, f->bytes, f->size_bytes);
  snprintf(cookie, sizeof cookie, "%016" PRIx64, f->cookie);
  return json_pack("{s:I, s:I, s:s, s:s, s:s, s:i, s:s, s:i, s:I, s:s, s:i, s:s}", "offset_ns", (json_int_t)f->due_ns, "lcore",
                   (json_int_t)f->lcore, "target", view->v->roster->provider[f->target].name, "kind",
                   asz_probe_name((enum asz_probe)view->plan.target[f->target].probe), "source", ends.source.chars, "source_port",
                   ends.parsed.src_port, "destination", ends.destination.chars, "destination_port", ends.parsed.dst_port, "seq",
                   (json_int_t)f->seq, "cookie", cookie, "size_bytes", f->size_bytes, "hex", hex);
}

static json_t *frames_json(const struct view *view, uint32_t count) {
  json_t *list = json_array();
  struct asz_dryrun_frame frame;
  for (uint32_t i = 0; list && i < count && asz_dryrun_next(view->frames, &frame); i++) {
    if (json_array_append_new(list, frame_json(view, &frame)) != 0) {
      json_decref(list);
      list = NULL;
    }
  }
  return list;
}

static int print_json(const struct view *view, uint32_t count) {
  const struct asz_validator *v = view->v;
  json_t *frames = frames_json(view, count);
  if (!frames)
    return asz_cmd_json(NULL);
  return asz_cmd_json(
      json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:o}", "providers", (json_int_t)v->roster->count,
                "control_targets", (json_int_t)v->roster->control_count, "challenged", (json_int_t)keyed_count(v->roster),
                "rate_pps", (json_int_t)view->plan.rate_pps, "probes_per_epoch", (json_int_t)probe_count(&view->plan), "epoch_s",
                (json_int_t)v->config.time_epoch_s, "statistics_bytes", (json_int_t)(2 * asz_validator_stats_bytes(v)), "eal",
                v->config.network_eal, "epoch", (json_int_t)view->plan.epoch, "frames", frames));
}

/* ---- text ---- */

static void print_hex(const struct asz_dryrun_frame *f) {
  for (uint32_t at = 0; at < f->size_bytes; at++) {
    if (at % HEX_BYTES_A_LINE == 0)
      printf("%s%06x ", at == 0 ? "" : "\n", at);
    printf(" %02x", f->bytes[at]);
  }
  puts("\n");
}

static void end_print(char ret_text[END_BYTES], const struct asz_frame *parsed, const char *address, uint16_t port) {
  bool ipv6 = parsed->family == ASZ_FAMILY_IPV6;
  if (parsed->kind == ASZ_FRAME_ICMP)
    snprintf(ret_text, END_BYTES, "%s", address);
  else
    snprintf(ret_text, END_BYTES, ipv6 ? "[%s]:%u" : "%s:%u", address, port);
}

static void print_frame(const struct view *view, uint32_t number, const struct asz_dryrun_frame *f) {
  struct ends ends;
  ends_read(&ends, f);
  char source[END_BYTES], destination[END_BYTES];
  end_print(source, &ends.parsed, ends.source.chars, ends.parsed.src_port);
  end_print(destination, &ends.parsed, ends.destination.chars, ends.parsed.dst_port);
  printf("# %" PRIu32 "  +%" PRIu64 ".%06" PRIu64 " ms  %s  %s  %s > %s  sequence %" PRIu32 "  cookie %016" PRIx64 "  %u bytes\n",
         number, f->due_ns / 1000000, f->due_ns % 1000000, view->v->roster->provider[f->target].name,
         asz_probe_name((enum asz_probe)view->plan.target[f->target].probe), source, destination, f->seq, f->cookie,
         f->size_bytes);
  print_hex(f);
}

static int print_text(const struct view *view, uint32_t count) {
  const struct asz_validator *v = view->v;
  printf("# providers   %" PRIu32 " (%" PRIu32 " control targets, %" PRIu32 " with a key to challenge)\n", v->roster->count,
         v->roster->control_count, keyed_count(v->roster));
  printf("# rate        %" PRIu64 " probes/s, %" PRIu64 " in epoch %" PRIu32 " of %" PRIu64 " s\n", view->plan.rate_pps,
         probe_count(&view->plan), view->plan.epoch, v->config.time_epoch_s);
  printf("# statistics  %zu MiB, twice\n", asz_validator_stats_bytes(v) >> 20);
  printf("# port        %s\n",
         v->config.network_eal[0] ? v->config.network_eal : "(network.eal is empty: the first port that EAL finds)");
  puts("# A run has another secret: its cookies, and with them ports, sequence numbers and the order of targets, will differ.\n"
       "# MAC addresses are zero: only the port knows them. To read the frames: text2pcap - FILE.pcap\n");
  struct asz_dryrun_frame frame;
  for (uint32_t i = 0; i < count && asz_dryrun_next(view->frames, &frame); i++)
    print_frame(view, i + 1, &frame);
  return ASZ_EXIT_OK;
}

int asz_dryrun_print(const struct asz_cmd_context *context, uint32_t frames) {
  struct asz_validator v;
  struct asz_diag diag;
  struct asz_stats stats;
  struct view view = {0};
  int err = asz_validator_look(&v, &context->home, &diag);
  if (err)
    return asz_cmd_fail(err, &diag);
  err = make_plan(&view, &v, &stats, &diag);
  int code = err ? asz_cmd_fail(err, &diag) : context->json ? print_json(&view, frames) : print_text(&view, frames);
  asz_dryrun_free(view.frames);
  sodium_memzero(&view.plan, sizeof view.plan);
  asz_validator_close(&v);
  return code;
}
