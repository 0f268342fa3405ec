/* SPDX-License-Identifier: Apache-2.0 */
/* Registered providers. */
#include <stdlib.h>
#include <string.h>

#include "control/store/store_private.h"

static void bind_key(struct asz_cursor *cursor, const struct asz_provider *provider) {
  if (asz_provider_has_key(provider))
    asz_bind_blob(cursor, provider->public_key, sizeof provider->public_key);
  else
    asz_bind_null(cursor);
}

/* Two columns, one of them NULL. */
static void bind_address(struct asz_cursor *cursor, const struct asz_provider *provider) {
  if (asz_provider_family(provider) == ASZ_FAMILY_IPV6) {
    asz_bind_null(cursor);
    asz_bind_blob(cursor, provider->ipv6, sizeof provider->ipv6);
  } else {
    asz_bind_i64(cursor, provider->ipv4);
    asz_bind_null(cursor);
  }
}

/* Exactly one of the two columns holds something. */
static void column_address(struct asz_cursor *cursor, struct asz_provider *ret_provider) {
  bool ipv4 = !asz_column_is_null(cursor);
  if (ipv4)
    ret_provider->ipv4 = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
  else
    cursor->position++;
  if (ipv4)
    cursor->position++;
  else
    asz_column_bytes(cursor, ret_provider->ipv6, sizeof ret_provider->ipv6);
}

/* 1 and the name of the provider that a bound lookup finds, 0 for none. Ends the cursor. */
static int lookup(struct asz_cursor *cursor, char ret_name[ASZ_PROVIDER_NAME_MAX + 1]) {
  int found = asz_cursor_next(cursor);
  if (found == 1)
    asz_column_text(cursor, ret_name, ASZ_PROVIDER_NAME_MAX + 1);
  int err = asz_cursor_end(cursor);
  return err ? err : found;
}

/* Is what was found somebody else's? A provider that is changed finds itself. */
static bool is_another(const struct asz_provider *provider, const char *found, bool is_new) {
  return is_new || strcmp(provider->name, found) != 0;
}

/* Asks before inserting, since a failed insert would name the index and take the whole import's transaction with it. */
static int check_collisions(struct asz_store *store, const struct asz_provider *provider, bool is_new, struct asz_diag *diag) {
  static const char what[] = "looking for a provider";
  char other[ASZ_PROVIDER_NAME_MAX + 1];
  struct asz_cursor cursor;

  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_BY_NAME, what, diag);
  asz_bind_text(&cursor, provider->name);
  int found = lookup(&cursor, other);
  if (found == 1 && is_new)
    return asz_diag_set(diag, ASZ_EEXIST, "provider %s: name: already registered", provider->name);
  if (found < 0)
    return found;

  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_BY_ADDRESS, what, diag);
  bind_address(&cursor, provider);
  found = lookup(&cursor, other);
  if (found == 1 && is_another(provider, other, is_new))
    return asz_diag_set(diag, ASZ_EEXIST, "provider %s: address: %s is already registered as %s", provider->name,
                        asz_provider_address(ASZ_TEXT, provider), other);
  if (found < 0)
    return found;
  if (!asz_provider_has_key(provider))
    return 0;

  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_BY_KEY, what, diag);
  bind_key(&cursor, provider);
  asz_bind_i64(&cursor, provider->device);
  found = lookup(&cursor, other);
  if (found == 1 && is_another(provider, other, is_new))
    return asz_diag_set(diag, ASZ_EEXIST, "provider %s: public key: device %u of this key is already registered as %s",
                        provider->name, provider->device, other);
  return found < 0 ? found : 0;
}

static void bind_secret(struct asz_cursor *cursor, const struct asz_provider *provider) {
  if (provider->hmac_secret_bytes > 0)
    asz_bind_blob(cursor, provider->hmac_secret, provider->hmac_secret_bytes);
  else
    asz_bind_null(cursor);
}

/* Columns public_key to rtt_target_ns, in the order of both statements. */
static void bind_settings(struct asz_cursor *cursor, const struct asz_provider *provider) {
  bind_key(cursor, provider);
  asz_bind_i64(cursor, provider->device);
  bind_address(cursor, provider);
  asz_bind_i64(cursor, provider->port);
  asz_bind_i64(cursor, provider->challenge_port);
  asz_bind_i64(cursor, provider->probe);
  asz_bind_i64(cursor, provider->flags);
  asz_bind_i64(cursor, provider->control);
  asz_bind_text(cursor, provider->region);
  asz_bind_text(cursor, provider->operator_name);
  asz_bind_u64(cursor, provider->rtt_target_ns);
}

int asz_store_provider_add(struct asz_store *store, struct asz_provider *provider, struct asz_diag *diag) {
  int err = check_collisions(store, provider, true, diag);
  if (err)
    return err;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_ADD, "adding a provider", diag);
  asz_bind_text(&cursor, provider->name);
  bind_settings(&cursor, provider);
  asz_bind_u64(&cursor, provider->registered_ns);
  bind_secret(&cursor, provider);
  err = asz_cursor_run(&cursor);
  if (!err)
    provider->row = sqlite3_last_insert_rowid(store->db);
  return err;
}

int asz_store_provider_update(struct asz_store *store, const struct asz_provider *provider, struct asz_diag *diag) {
  int err = check_collisions(store, provider, false, diag);
  if (err)
    return err;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_UPDATE, "changing a provider", diag);
  bind_settings(&cursor, provider);
  bind_secret(&cursor, provider);
  asz_bind_i64(&cursor, provider->row);
  return asz_cursor_run(&cursor);
}

static void read_secret(struct asz_cursor *cursor, struct asz_provider *ret_provider) {
  if (asz_column_is_null(cursor)) {
    cursor->position++;
    return;
  }
  size_t size;
  (void)asz_column_blob(cursor, &size);
  cursor->position--;
  if (size < ASZ_HMAC_SECRET_BYTES_MIN || size > ASZ_HMAC_SECRET_BYTES_MAX)
    size = ASZ_HMAC_SECRET_BYTES_MAX; /* which it has not: asz_column_bytes names the column */
  asz_column_bytes(cursor, ret_provider->hmac_secret, size);
  ret_provider->hmac_secret_bytes = (uint8_t)size;
}

/* The columns of PROVIDER_LIST and PROVIDER_FIND. */
static void read_provider(struct asz_cursor *cursor, struct asz_provider *ret_provider) {
  memset(ret_provider, 0, sizeof *ret_provider);
  ret_provider->row = asz_column_i64(cursor);
  asz_column_text(cursor, ret_provider->name, sizeof ret_provider->name);
  if (asz_column_is_null(cursor))
    cursor->position++;
  else
    asz_column_bytes(cursor, ret_provider->public_key, sizeof ret_provider->public_key);
  ret_provider->device = (uint32_t)asz_column_u64(cursor, UINT32_MAX);
  column_address(cursor, ret_provider);
  ret_provider->port = (uint16_t)asz_column_u64(cursor, UINT16_MAX);
  ret_provider->challenge_port = (uint16_t)asz_column_u64(cursor, UINT16_MAX);
  ret_provider->probe = (uint8_t)asz_column_u64(cursor, UINT8_MAX);
  ret_provider->flags = (uint8_t)asz_column_u64(cursor, UINT8_MAX);
  ret_provider->control = asz_column_u64(cursor, 1) == 1;
  asz_column_text(cursor, ret_provider->region, sizeof ret_provider->region);
  asz_column_text(cursor, ret_provider->operator_name, sizeof ret_provider->operator_name);
  ret_provider->rtt_target_ns = asz_column_u64(cursor, INT64_MAX);
  ret_provider->registered_ns = asz_column_u64(cursor, INT64_MAX);
  read_secret(cursor, ret_provider);
}

int asz_store_provider_list(struct asz_store *store, struct asz_provider **ret_providers, size_t *ret_count,
                            struct asz_diag *diag) {
  struct asz_provider *providers = NULL;
  size_t count = 0, capacity = 0;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_LIST, "listing providers", diag);
  while (asz_cursor_next(&cursor) == 1) {
    providers = asz_store_grow(&cursor, providers, count, &capacity, sizeof *providers);
    if (cursor.err)
      break;
    read_provider(&cursor, &providers[count++]);
  }
  int err = asz_cursor_end(&cursor);
  if (err) {
    free(providers);
    return err;
  }
  *ret_providers = providers;
  *ret_count = count;
  return 0;
}

int asz_store_provider_find(struct asz_store *store, const char *name, struct asz_provider *ret_provider, struct asz_diag *diag) {
  struct asz_provider provider;
  struct asz_cursor cursor;
  asz_cursor_begin(&cursor, store, ASZ_STATEMENT_PROVIDER_FIND, "looking for a provider", diag);
  asz_bind_text(&cursor, name);
  int found = asz_cursor_next(&cursor);
  if (found == 1)
    read_provider(&cursor, &provider);
  int err = asz_cursor_end(&cursor);
  if (err)
    return err;
  if (!found)
    return asz_diag_set(diag, ASZ_ENOENT, "provider %s: not registered", name);
  *ret_provider = provider;
  return 0;
}
