/* SPDX-License-Identifier: Apache-2.0 */
#include "control/responder/workers.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/base/clock.h"

struct node {
  struct node *next;
  struct asz_job job;
};

/* First in, first out. */
struct list {
  struct node *first, *last;
};

struct asz_workers {
  pthread_mutex_t lock; /* guards the lists and `stop`; never held during a proof */
  pthread_cond_t light_work, heavy_work;
  struct list free, finished, light[ASZ_KIND_SINGLE_MAX + 1],
      heavy; /* light: by kind, 0 is WELCOME and RECEIPT; heavy: with a work */
  bool stop;
  int event_fd;
  const struct asz_identity *provider;
  enum asz_prove_mode mode;
  struct node *pool;
  unsigned capacity, count;
  pthread_t thread[];
};

static void list_push(struct list *list, struct node *node) {
  node->next = NULL;
  if (list->first)
    list->last->next = node;
  else
    list->first = node;
  list->last = node;
}

static struct node *list_pop(struct list *list) {
  struct node *node = list->first;
  if (node)
    list->first = node->next;
  return node;
}

static struct node *next_light(struct asz_workers *workers) {
  for (unsigned kind = 0; kind <= ASZ_KIND_SINGLE_MAX; kind++) {
    struct node *node = list_pop(&workers->light[kind]);
    if (node)
      return node;
  }
  return NULL;
}

/* Sleep until there is work; NULL at the end. */
static struct node *take_light(struct asz_workers *workers) {
  struct node *node = NULL;
  pthread_mutex_lock(&workers->lock);
  while (!workers->stop && !(node = next_light(workers)))
    pthread_cond_wait(&workers->light_work, &workers->lock);
  pthread_mutex_unlock(&workers->lock);
  return node;
}

static struct node *take_heavy(struct asz_workers *workers) {
  struct node *node = NULL;
  pthread_mutex_lock(&workers->lock);
  while (!workers->stop && !(node = list_pop(&workers->heavy)))
    pthread_cond_wait(&workers->heavy_work, &workers->lock);
  pthread_mutex_unlock(&workers->lock);
  return node;
}

static void hand_back(struct asz_workers *workers, struct node *node) {
  pthread_mutex_lock(&workers->lock);
  list_push(&workers->finished, node);
  pthread_mutex_unlock(&workers->lock);
  const int err = eventfd_write(workers->event_fd, 1);
  assert(err == 0); /* only a full 64-bit count could fail */
  (void)err;
}

static size_t sign_welcome(struct asz_job *job, const struct asz_identity *provider) {
  uint8_t signed_bytes[ASZ_ENROL_SIGNED_BYTES];
  asz_welcome_signed_bytes(signed_bytes, &job->welcome, job->validator_pk);
  crypto_sign_detached(job->welcome.signature, NULL, signed_bytes, sizeof signed_bytes, provider->secret_key);
  asz_welcome_write(job->answer, &job->welcome, job->reply_key);
  return ASZ_ENROL_BYTES;
}

static size_t make_light(struct asz_job *job, const struct asz_workers *workers) {
  switch (job->type) {
  case ASZ_JOB_WELCOME:
    return sign_welcome(job, workers->provider);
  case ASZ_JOB_RECEIPT:
    asz_receipts_answer(job->answer, job->window, &job->ask, workers->provider, job->validator_pk, job->reply_key);
    return ASZ_RECEIPT_BYTES;
  default:
    return asz_prove_answer(job->answer, &job->challenge, workers->provider, job->validator_pk, job->reply_key, workers->mode);
  }
}

static void *light_main(void *argument) {
  struct asz_workers *workers = argument;
  for (struct node *node; (node = take_light(workers));) {
    node->job.answer_bytes = make_light(&node->job, workers);
    hand_back(workers, node);
  }
  return NULL;
}

static void *heavy_main(void *argument) {
  struct asz_workers *workers = argument;
  for (struct node *node; (node = take_heavy(workers));) {
    struct asz_job *job = &node->job;
    const uint64_t start_ns = asz_clock_monotonic_ns();
    if (job->type == ASZ_JOB_OPEN)
      asz_work_open(job->work, &job->open, workers->provider, workers->mode);
    else
      job->answer_bytes = asz_work_answer(job->work, job->answer, &job->challenge, workers->provider, job->validator_pk,
                                          job->reply_key, workers->mode);
    job->spent_ns = asz_clock_monotonic_ns() - start_ns;
    hand_back(workers, node);
  }
  return NULL;
}

/* Signals belong to the main thread: a new thread inherits the mask that is set while it is made. */
static int start_threads(struct asz_workers *workers, unsigned count, bool with_works) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int err = 0;
  while (!err && workers->count < count + with_works) {
    err = pthread_create(&workers->thread[workers->count], NULL, workers->count < count ? light_main : heavy_main, workers);
    if (!err)
      workers->count++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err ? ASZ_EIO : 0;
}

int asz_workers_new(struct asz_workers **ret_workers, unsigned count, unsigned capacity, const struct asz_identity *provider,
                    enum asz_prove_mode mode, bool with_works) {
  assert(count >= 1 && count <= ASZ_WORKERS_MAX && capacity >= 1);
  struct asz_workers *workers = calloc(1, sizeof *workers + (count + with_works) * sizeof workers->thread[0]);
  struct node *pool = calloc(capacity, sizeof *pool);
  if (!workers || !pool) {
    free(workers);
    free(pool);
    return ASZ_ENOMEM;
  }
  pthread_mutex_init(&workers->lock, NULL);
  pthread_cond_init(&workers->light_work, NULL);
  pthread_cond_init(&workers->heavy_work, NULL);
  workers->provider = provider;
  workers->mode = mode;
  workers->pool = pool;
  workers->capacity = capacity;
  for (unsigned i = 0; i < capacity; i++)
    list_push(&workers->free, &pool[i]);
  workers->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const int err = workers->event_fd < 0 ? ASZ_EIO : start_threads(workers, count, with_works);
  if (err) {
    asz_workers_free(workers);
    return err;
  }
  *ret_workers = workers;
  return 0;
}

int asz_workers_submit(struct asz_workers *workers, const struct asz_job *job) {
  assert(job->work || job->challenge.kind <= ASZ_KIND_SINGLE_MAX);
  pthread_mutex_lock(&workers->lock);
  struct node *node = list_pop(&workers->free);
  if (node) {
    node->job = *job;
    list_push(job->work ? &workers->heavy : &workers->light[job->challenge.kind], node);
    pthread_cond_signal(job->work ? &workers->heavy_work : &workers->light_work);
  }
  pthread_mutex_unlock(&workers->lock);
  return node ? 0 : ASZ_EAGAIN;
}

bool asz_workers_poll(struct asz_workers *workers, struct asz_job *ret_job) {
  eventfd_t ignored;
  (void)!eventfd_read(workers->event_fd, &ignored); /* quiet first: what finishes from here on makes it readable again */
  pthread_mutex_lock(&workers->lock);
  struct node *node = list_pop(&workers->finished);
  if (node) {
    *ret_job = node->job;
    list_push(&workers->free, node);
  }
  const bool more = workers->finished.first != NULL;
  pthread_mutex_unlock(&workers->lock);
  if (more)
    (void)!eventfd_write(workers->event_fd, 1);
  return node != NULL;
}

int asz_workers_fd(const struct asz_workers *workers) {
  return workers->event_fd;
}

void asz_workers_free(struct asz_workers *workers) {
  if (!workers)
    return;
  pthread_mutex_lock(&workers->lock);
  workers->stop = true;
  pthread_cond_broadcast(&workers->light_work);
  pthread_cond_broadcast(&workers->heavy_work);
  pthread_mutex_unlock(&workers->lock);
  for (unsigned i = 0; i < workers->count; i++)
    pthread_join(workers->thread[i], NULL);
  if (workers->event_fd >= 0)
    close(workers->event_fd);
  sodium_memzero(workers->pool, workers->capacity * sizeof *workers->pool); /* reply keys */
  free(workers->pool);
  pthread_mutex_destroy(&workers->lock);
  pthread_cond_destroy(&workers->light_work);
  pthread_cond_destroy(&workers->heavy_work);
  free(workers);
}
